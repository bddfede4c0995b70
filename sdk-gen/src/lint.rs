//! The rules of the contract. Every broken one is named with its file, line and element.

mod events;
mod routes;

use std::collections::{HashMap, HashSet};
use std::fmt;

use prost_reflect::{
    EnumDescriptor, FileDescriptor, MessageDescriptor, MethodDescriptor, ServiceDescriptor,
};

use crate::model::{self, GRPC_CODES, Model, REASON_ENUM, REASON_PREFIX};
use crate::schema::{Schema, comment, line};

/// Reasons that every RPC can give and that no policy repeats.
pub const COMMON_REASONS: [&str; 8] = [
    "KEY_INVALID",
    "SCOPE_MISSING",
    "FIELD_INVALID",
    "DATABASE_UNAVAILABLE",
    "SERVER_STOPPING",
    "LIMIT_EXCEEDED",
    "METHOD_UNKNOWN",
    "INTERNAL",
];

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// File relative to the root.
    pub file: String,
    /// Line in it, counted from 1.
    pub line: i32,
    /// RPC, message, field, enum or value.
    pub subject: String,
    /// What is wrong with it.
    pub problem: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {} {}", self.file, self.line, self.subject, self.problem)
    }
}

/// Every broken rule of the contract, in the order of files and lines.
pub fn lint(schema: &Schema) -> Vec<Violation> {
    let mut report = Report { violations: Vec::new() };
    for file in schema.files() {
        for message in file.messages() {
            message_rules(&mut report, &message);
        }
        for found in file.enums() {
            enum_rules(&mut report, &found);
        }
        for service in file.services() {
            report.documented(&file, service.path(), service.name());
            for method in service.methods() {
                method_rules(&mut report, &service, &method);
            }
        }
    }
    unique_messages(&mut report, schema);
    unique_names(&mut report, schema);
    used_reasons(&mut report, schema);
    events::rules(&mut report, schema);
    routes::rules(&mut report, schema);
    report.violations.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    report.violations
}

struct Report {
    violations: Vec<Violation>,
}

impl Report {
    fn add(&mut self, file: &FileDescriptor, path: &[i32], subject: &str, problem: &str) {
        self.violations.push(Violation {
            file: format!("proto/{}", file.name()),
            line: line(file, path),
            subject: subject.to_owned(),
            problem: problem.to_owned(),
        });
    }

    fn documented(&mut self, file: &FileDescriptor, path: &[i32], subject: &str) {
        if comment(file, path).is_empty() {
            self.add(file, path, subject, "has no comment");
        }
    }
}

fn message_rules(report: &mut Report, message: &MessageDescriptor) {
    // The compiler makes these for maps; nobody writes them.
    if message.is_map_entry() {
        return;
    }
    let file = message.parent_file();
    report.documented(&file, message.path(), message.name());
    for field in message.fields() {
        let subject = format!("{}.{}", message.name(), field.name());
        report.documented(&file, field.path(), &subject);
    }
    let inner = message.child_messages().filter(|inner| !inner.is_map_entry());
    let places = inner.map(|inner| (inner.path().to_vec(), inner.name().to_owned()));
    let enums = message.child_enums().map(|inner| (inner.path().to_vec(), inner.name().to_owned()));
    for (path, name) in places.chain(enums) {
        let problem =
            format!("is declared inside {}: languages name it differently", message.name());
        report.add(&file, &path, &name, &problem);
    }
}

fn enum_rules(report: &mut Report, found: &EnumDescriptor) {
    let file = found.parent_file();
    report.documented(&file, found.path(), found.name());
    if !found.default_value().name().ends_with("_UNSPECIFIED") {
        let problem = "has a value 0 whose name does not end in _UNSPECIFIED";
        report.add(&file, found.path(), found.name(), problem);
    }
    for value in found.values() {
        report.documented(&file, value.path(), value.name());
        if found.full_name() != REASON_ENUM || value.number() == 0 {
            continue;
        }
        if !GRPC_CODES.contains(&model::leading_code(&comment(&file, value.path()))) {
            let problem = "has a comment that does not begin with the name of a gRPC code";
            report.add(&file, value.path(), value.name(), problem);
        }
    }
}

fn method_rules(report: &mut Report, service: &ServiceDescriptor, method: &MethodDescriptor) {
    let file = service.parent_file();
    let subject = format!("{}.{}", service.name(), method.name());
    report.documented(&file, method.path(), &subject);
    for (message, suffix) in [(method.input(), "Request"), (method.output(), "Response")] {
        let wanted = format!("{}{suffix}", method.name());
        if message.name() != wanted {
            let problem = format!("uses {} where {wanted} belongs", message.name());
            report.add(&file, method.path(), &subject, &problem);
        }
    }
    if method.name().starts_with("List")
        && let Some(problem) = paging_problem(method)
    {
        report.add(&file, method.path(), &subject, problem);
    }
    let Some(policy) = model::policy(method) else {
        report.add(&file, method.path(), &subject, "has no policy option");
        return;
    };
    if !matches!(policy.bucket.as_str(), "read" | "write" | "stream") {
        let problem = "has a policy without a bucket: \"read\", \"write\" or \"stream\"";
        report.add(&file, method.path(), &subject, problem);
    }
    let has_request_id = method.input().get_field_by_name("request_id").is_some();
    if policy.deduplicated != has_request_id {
        let problem = if has_request_id {
            "takes a request_id but its policy is not deduplicated"
        } else {
            "is deduplicated but its request has no request_id"
        };
        report.add(&file, method.path(), &subject, problem);
    }
    let resume = policy.resume_field.as_str();
    if !resume.is_empty() && method.output().get_field_by_name(resume).is_none() {
        let problem = format!("resumes with {resume}, which its response does not have");
        report.add(&file, method.path(), &subject, &problem);
    }
}

/// A list goes on by page tokens, or by the resume token of a log.
fn paging_problem(method: &MethodDescriptor) -> Option<&'static str> {
    let (input, output) = (method.input(), method.output());
    let takes = |name| input.get_field_by_name(name).is_some();
    let gives = |name| output.get_field_by_name(name).is_some();
    let pages = takes("page_token") && gives("next_page_token");
    let resumes = takes("resume_token") && gives("resume_token");
    if !takes("page_size") {
        return Some("is a list whose request has no page_size");
    }
    (!pages && !resumes).then_some("is a list without page_token and next_page_token")
}

/// A message of two RPCs could not grow for one of them alone.
fn unique_messages(report: &mut Report, schema: &Schema) {
    let mut first_user: HashMap<String, String> = HashMap::new();
    for service in schema.files().flat_map(|file| file.services().collect::<Vec<_>>()) {
        for method in service.methods() {
            let subject = format!("{}.{}", service.name(), method.name());
            for message in [method.input(), method.output()] {
                let name = message.full_name().to_owned();
                if let Some(first) = first_user.insert(name.clone(), subject.clone()) {
                    let problem = format!("shares {name} with {first}");
                    report.add(&service.parent_file(), method.path(), &subject, &problem);
                }
            }
        }
    }
}

/// SDKs call services and RPCs by these names.
fn unique_names(report: &mut Report, schema: &Schema) {
    let mut accessors: HashMap<String, String> = HashMap::new();
    for service in Model::build(schema).public().services {
        let full_name = format!("{}.{}", service.package, service.name);
        let Some(found) = schema.pool.get_service_by_name(&full_name) else { continue };
        let file = found.parent_file();
        if let Some(first) = accessors.insert(service.accessor.clone(), service.name.clone()) {
            let problem = format!("is called {} in SDKs, like {first}", service.accessor);
            report.add(&file, found.path(), &service.name, &problem);
        }
        let mut names: HashMap<String, String> = HashMap::new();
        for (method, at) in service.methods.iter().zip(found.methods()) {
            if let Some(first) = names.insert(method.short_name.clone(), method.name.clone()) {
                let subject = format!("{}.{}", service.name, method.name);
                let problem = format!("is called {} in SDKs, like {first}", method.short_name);
                report.add(&file, at.path(), &subject, &problem);
            }
        }
    }
}

fn used_reasons(report: &mut Report, schema: &Schema) {
    let Some(reasons) = schema.pool.get_enum_by_name(REASON_ENUM) else { return };
    let services = schema.files().flat_map(|file| file.services().collect::<Vec<_>>());
    let methods = services.flat_map(|service| service.methods().collect::<Vec<_>>());
    let mut used: HashSet<String> = COMMON_REASONS.map(str::to_owned).into();
    used.extend(
        methods.filter_map(|method| model::policy(&method)).flat_map(|found| found.reasons),
    );
    for value in reasons.values().filter(|value| value.number() != 0) {
        let name = value.name().strip_prefix(REASON_PREFIX).unwrap_or(value.name());
        if !used.contains(name) {
            let problem = "is not given by any RPC";
            report.add(&reasons.parent_file(), value.path(), value.name(), problem);
        }
    }
}
