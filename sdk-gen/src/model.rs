//! What templates see of the contract. Knows no language.

pub mod events;
pub mod routes;
pub mod shape;

use prost_reflect::{
    DynamicMessage, FieldDescriptor, MessageDescriptor, MethodDescriptor, ReflectMessage,
    ServiceDescriptor, Value,
};
use serde::Serialize;

use crate::schema::{Schema, comment};

pub use events::{EVENT_TYPE_ENUM, EventType, Events};
pub use routes::{Route, routes};
pub use shape::{Enum, EnumValue, Field, Message, Shape, Type};

/// Packages that SDKs show; the others are the platform's own.
pub const PUBLIC_PACKAGES: [&str; 1] = ["astro.v1"];

/// Full name of the enum of error reasons.
pub const REASON_ENUM: &str = "astro.v1.ErrorReason";
/// Start of every value's name in that enum; not sent on the wire.
pub const REASON_PREFIX: &str = "ERROR_REASON_";
/// Full name of the method option that carries the policy.
pub const POLICY_OPTION: &str = "astro.options.v1.policy";

/// Names of the gRPC status codes, as in the specification.
pub const GRPC_CODES: [&str; 16] = [
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// The whole contract.
#[derive(Debug, Clone, Serialize)]
pub struct Model {
    /// Services, sorted by package and name.
    pub services: Vec<Service>,
    /// Reasons of errors, in the order of the contract, without the unspecified one.
    pub reasons: Vec<ErrorReason>,
    /// Types of events, with what they share.
    pub events: Events,
    /// Messages with a field that must not get into logs, sorted by full name.
    pub confidential: Vec<Confidential>,
    /// Messages in the order of files and declarations.
    pub messages: Vec<Message>,
    /// Enums in the order of files and declarations, without that of the types of events: programs
    /// have these as constants of their names.
    pub enums: Vec<Enum>,
}

/// A message with a field marked `debug_redact`: a secret, a token.
#[derive(Debug, Clone, Serialize)]
pub struct Confidential {
    /// Full name: `astro.v1.CreateApiKeyResponse`.
    pub full_name: String,
    /// Package: `astro.v1`.
    pub package: String,
    /// Its members: plain fields, and each oneof once, under its own name.
    pub members: Vec<Member>,
}

/// A field or a oneof of a message.
#[derive(Debug, Clone, Serialize)]
pub struct Member {
    /// Name in the contract.
    pub name: String,
    /// Whether it must not get into logs; for a oneof, whether any of its fields must not.
    pub redacted: bool,
}

/// One service.
#[derive(Debug, Clone, Serialize)]
pub struct Service {
    /// Name without the package: `ItemService`.
    pub name: String,
    /// Package: `astro.v1`.
    pub package: String,
    /// What a client calls it, in snake case: `items`.
    pub accessor: String,
    /// Its comment.
    pub docs: String,
    /// RPCs in the order of the contract.
    pub methods: Vec<Method>,
}

/// One RPC.
#[derive(Debug, Clone, Serialize)]
pub struct Method {
    /// Name: `GetItem`.
    pub name: String,
    /// What a client calls it, in snake case: `get`.
    pub short_name: String,
    /// How a client uses it.
    pub shape: Shape,
    /// Whether it may be sent again when its answer got lost.
    pub may_repeat: bool,
    /// Path of the HTTP/2 request: `/astro.v1.ItemService/GetItem`.
    pub path: String,
    /// What the platform must know about it.
    pub policy: Policy,
    /// How HTTP reaches it, the usual way first.
    pub routes: Vec<Route>,
    /// Whether it may be sent again.
    pub idempotency: Idempotency,
    /// Whether the caller sends a stream.
    pub client_streaming: bool,
    /// Whether the server answers with a stream.
    pub server_streaming: bool,
    /// Full name of the request message.
    pub input: String,
    /// Full name of the response message.
    pub output: String,
    /// Whether the contract advises against it.
    pub deprecated: bool,
    /// Number of the request's `request_id` field, if it has one.
    pub request_id_field: Option<u32>,
    /// Its comment.
    pub docs: String,
}

/// What the contract promises about sending an RPC again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Idempotency {
    /// Nothing.
    Unknown,
    /// It only reads.
    NoSideEffects,
    /// A second time changes nothing more.
    Idempotent,
}

/// The option `astro.options.v1.policy` of one RPC.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Policy {
    /// Scope the key must hold; empty: any valid key.
    pub scope: String,
    /// Rate-limit bucket; empty when the RPC has no policy, which [`crate::lint`] reports.
    pub bucket: String,
    /// Whether the server deduplicates on `request_id`.
    pub deduplicated: bool,
    /// Field of the response that resumes the stream; empty if none.
    pub resume_field: String,
    /// Reasons of its errors beside those every RPC has, without the prefix.
    pub reasons: Vec<String>,
}

/// One reason of errors.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorReason {
    /// As sent on the wire: `ITEM_NOT_FOUND`.
    pub name: String,
    /// gRPC code, the first word of the comment: `NOT_FOUND`.
    pub code: String,
    /// Its comment.
    pub docs: String,
}

impl Service {
    /// The methods that SDKs have.
    pub fn called(&self) -> impl Iterator<Item = &Method> {
        self.methods.iter().filter(|method| method.shape != Shape::Session)
    }
}

impl Model {
    /// What SDKs show: the packages in [`PUBLIC_PACKAGES`] alone.
    pub fn public(&self) -> Self {
        let is_public = |package: &str| PUBLIC_PACKAGES.contains(&package);
        let mut public = self.clone();
        public.services.retain(|service| is_public(&service.package));
        public.messages.retain(|message| is_public(&message.package));
        public.enums.retain(|found| is_public(&found.package));
        public.confidential.retain(|message| is_public(&message.package));
        public
    }

    /// The message with this full name.
    pub fn message(&self, full_name: &str) -> Option<&Message> {
        self.messages.iter().find(|message| message.full_name == full_name)
    }

    /// The enum with this full name.
    pub fn enumeration(&self, full_name: &str) -> Option<&Enum> {
        self.enums.iter().find(|found| found.full_name == full_name)
    }

    /// The enums that programs see; reasons are text.
    pub fn open_enums(&self) -> impl Iterator<Item = &Enum> {
        self.enums.iter().filter(|found| found.full_name != REASON_ENUM)
    }

    /// Reduces the compiled contract.
    pub fn build(schema: &Schema) -> Self {
        let mut services: Vec<Service> = schema
            .files()
            .flat_map(|file| file.services().collect::<Vec<_>>())
            .map(service)
            .collect();
        services.sort_by(|a, b| (&a.package, &a.name).cmp(&(&b.package, &b.name)));
        Self {
            services,
            reasons: reasons(schema),
            events: Events::build(schema),
            confidential: confidential(schema),
            messages: shape::messages(schema),
            enums: shape::enums(schema),
        }
    }
}

/// The policy of `method`, if it has one.
pub fn policy(method: &MethodDescriptor) -> Option<Policy> {
    let extension = method.parent_pool().get_extension_by_name(POLICY_OPTION)?;
    let options = method.options();
    if !options.has_extension(&extension) {
        return None;
    }
    let value = options.get_extension(&extension).into_owned();
    let Value::Message(message) = value else { return None };
    let text = |name| match message.get_field_by_name(name).map(|value| value.into_owned()) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    };
    let deduplicated = message.get_field_by_name("deduplicated");
    Some(Policy {
        scope: text("scope"),
        bucket: text("bucket"),
        deduplicated: deduplicated.and_then(|value| value.as_bool()).unwrap_or_default(),
        resume_field: text("resume_field"),
        reasons: policy_reasons(&message),
    })
}

fn policy_reasons(policy: &DynamicMessage) -> Vec<String> {
    let Some(values) = policy.get_field_by_name("reasons") else { return Vec::new() };
    let Some(reasons) = policy.descriptor().parent_pool().get_enum_by_name(REASON_ENUM) else {
        return Vec::new();
    };
    let numbers = values.as_list().unwrap_or_default().iter().filter_map(Value::as_enum_number);
    numbers
        .filter_map(|number| reasons.get_value(number))
        .map(|value| wire_name(value.name()))
        .collect()
}

fn wire_name(value_name: &str) -> String {
    value_name.strip_prefix(REASON_PREFIX).unwrap_or(value_name).to_owned()
}

fn confidential(schema: &Schema) -> Vec<Confidential> {
    let messages = schema.pool.all_messages().filter(|message| {
        message.fields().any(|field| is_redacted(&field))
            // The descriptor's own messages have the option without being secret.
            && !message.package_name().starts_with("google.")
    });
    let mut found: Vec<Confidential> = messages
        .map(|message| Confidential {
            full_name: message.full_name().to_owned(),
            package: message.package_name().to_owned(),
            members: members(&message),
        })
        .collect();
    found.sort_by(|a, b| a.full_name.cmp(&b.full_name));
    found
}

fn members(message: &MessageDescriptor) -> Vec<Member> {
    let mut members: Vec<Member> = Vec::new();
    for field in message.fields() {
        let oneof = field.containing_oneof().filter(|oneof| !oneof.is_synthetic());
        let name = oneof.map_or(field.name().to_owned(), |oneof| oneof.name().to_owned());
        let redacted = is_redacted(&field);
        match members.iter_mut().find(|member| member.name == name) {
            Some(member) => member.redacted |= redacted,
            None => members.push(Member { name, redacted }),
        }
    }
    members
}

fn is_redacted(field: &FieldDescriptor) -> bool {
    // By name, since prost-types is older than this option.
    let options = field.options();
    options.get_field_by_name("debug_redact").and_then(|value| value.as_bool()).unwrap_or_default()
}

fn service(service: ServiceDescriptor) -> Service {
    Service {
        name: service.name().to_owned(),
        package: service.package_name().to_owned(),
        accessor: shape::accessor(service.name()),
        docs: comment(&service.parent_file(), service.path()),
        methods: service.methods().map(|found| method(&found)).collect(),
    }
}

fn method(method: &MethodDescriptor) -> Method {
    let service = method.parent_service();
    let policy = policy(method).unwrap_or_default();
    let idempotency = idempotency(method);
    let options = method.method_descriptor_proto().options.as_ref();
    Method {
        name: method.name().to_owned(),
        short_name: shape::short_name(service.name(), method.name()),
        shape: shape::shape(method, &policy),
        may_repeat: policy.deduplicated || idempotency != Idempotency::Unknown,
        path: format!("/{}/{}", service.full_name(), method.name()),
        policy,
        routes: routes(method),
        idempotency,
        client_streaming: method.is_client_streaming(),
        server_streaming: method.is_server_streaming(),
        input: method.input().full_name().to_owned(),
        output: method.output().full_name().to_owned(),
        deprecated: options.is_some_and(|options| options.deprecated()),
        request_id_field: method.input().get_field_by_name("request_id").map(|f| f.number()),
        docs: comment(&service.parent_file(), method.path()),
    }
}

fn idempotency(method: &MethodDescriptor) -> Idempotency {
    use prost_types::method_options::IdempotencyLevel;
    let options = method.method_descriptor_proto().options.clone().unwrap_or_default();
    match options.idempotency_level() {
        IdempotencyLevel::IdempotencyUnknown => Idempotency::Unknown,
        IdempotencyLevel::NoSideEffects => Idempotency::NoSideEffects,
        IdempotencyLevel::Idempotent => Idempotency::Idempotent,
    }
}

fn reasons(schema: &Schema) -> Vec<ErrorReason> {
    let Some(reasons) = schema.pool.get_enum_by_name(REASON_ENUM) else { return Vec::new() };
    let file = reasons.parent_file();
    let named = reasons.values().filter(|value| value.number() != 0);
    named
        .map(|value| {
            let docs = comment(&file, value.path());
            let name = wire_name(value.name());
            ErrorReason { name, code: leading_code(&docs).to_owned(), docs }
        })
        .collect()
}

/// The first word of a reason's comment, which is to be its gRPC code.
pub fn leading_code(docs: &str) -> &str {
    docs.split(|c: char| !(c.is_ascii_uppercase() || c == '_')).next().unwrap_or_default()
}
