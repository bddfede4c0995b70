//! Commands that call one RPC: their arguments and their help come from the contract.

use clap::builder::{Resettable, StyledStr};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, ReflectMessage, Value};

use crate::arguments::{self, Arguments};
use crate::context::Context;
use crate::contract::{self, comment, sentence};
use crate::failure::Failure;
use crate::flags::{self, Flag, is_paged};
use crate::{assignments, call, events, words};

/// Most entries that one page can have.
const PAGE_SIZE_MAX: usize = 500;

/// Streams whose lines are written by hand.
const BY_HAND: [&str; 2] = ["assignments watch", "events tail"];

/// One command.
pub(crate) struct Verb {
    /// `items get`; `whoami` has no noun.
    pub(crate) name: String,
    method: MethodDescriptor,
    flags: Vec<Flag>,
}

/// The commands of a contract. An RPC that takes a stream of requests is no command: what would send
/// them is a program.
pub(crate) fn all(pool: &DescriptorPool) -> Vec<Verb> {
    let methods = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    methods.filter(|method| !method.is_client_streaming()).flat_map(of).collect()
}

fn of(method: MethodDescriptor) -> Vec<Verb> {
    let service = method.parent_service();
    let rpc = rpc(&method);
    let mut names: Vec<String> = words::lines(words::COMMANDS, &rpc).map(str::to_owned).collect();
    if names.is_empty() {
        let noun = words::lines(words::SERVICES, service.name()).next().map(str::to_owned);
        let noun = noun.unwrap_or_else(|| contract::noun(service));
        names.push(format!("{noun} {}", contract::verb(&method)));
    }
    let verb = |name| Verb { name, method: method.clone(), flags: flags::of(&method) };
    names.into_iter().map(verb).collect()
}

/// `ItemService/GetItem`.
fn rpc(method: &MethodDescriptor) -> String {
    format!("{}/{}", method.parent_service().name(), method.name())
}

impl Verb {
    /// Noun and verb; the noun is empty for a command without.
    pub(crate) fn words(&self) -> (&str, &str) {
        self.name.split_once(' ').unwrap_or(("", &self.name))
    }

    /// The RPC.
    #[cfg(test)]
    pub(crate) fn method(&self) -> &MethodDescriptor {
        &self.method
    }

    /// The fields that its arguments fill.
    #[cfg(test)]
    pub(crate) fn fields(&self) -> impl Iterator<Item = &prost_reflect::FieldDescriptor> {
        self.flags.iter().map(Flag::field)
    }

    /// What the noun is, by the comment of its service.
    pub(crate) fn noun_about(&self) -> String {
        if let Some(about) = words::lines(words::NOUNS, self.words().0).next() {
            return about.to_owned();
        }
        let service = self.method.parent_service();
        let docs = comment(&service.parent_file(), service.path());
        // "ItemService is the shared pool of items."
        let told = docs.strip_prefix(service.name()).unwrap_or(&docs).trim_start();
        let told = ["is the ", "is an ", "is a "]
            .iter()
            .find_map(|it| told.strip_prefix(it))
            .unwrap_or(told);
        let mut letters = sentence(told).chars();
        letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
    }

    /// Whether any key will do.
    pub(crate) fn takes_any_key(&self) -> bool {
        contract::scope(&self.method).is_none()
    }

    fn is_list(&self) -> bool {
        contract::told(&self.method.output()).is_some_and(|told| told.is_list())
    }

    /// Whether its result is a table, or lines of one.
    fn has_columns(&self) -> bool {
        let is_stream = self.method.is_server_streaming();
        (self.is_list() || is_stream) && !BY_HAND.contains(&self.name.as_str())
    }

    /// The command with its arguments and its help.
    pub(crate) fn command(&self) -> Command {
        let file = self.method.parent_service().parent_file();
        let docs = comment(&file, self.method.path());
        let mut command = flags::add(&self.flags, Command::new(self.words().1.to_owned()));
        if is_paged(&self.method.input()) {
            command = command.args(paging());
        }
        if self.has_columns() {
            command = command.arg(
                Arg::new("--wide")
                    .long("wide")
                    .action(ArgAction::SetTrue)
                    .help("Show every column, also those that few want"),
            );
        }
        // Comments speak of fields, people of options.
        let known = Arguments::new(command.clone());
        let renamed = |text: Option<&StyledStr>| -> Resettable<StyledStr> {
            text.map(|text| known.rename(&text.to_string()).into()).into()
        };
        let (about, examples) = (known.rename(&docs), self.examples(&command));
        let command = command.about(sentence(&about).to_owned()).after_help(examples);
        let mut command = words::tuned(&self.name, command);
        if command.get_about().is_some_and(|it| about.starts_with(&it.to_string())) {
            command = command.long_about(about);
        }
        command.mut_args(|argument| {
            let (help, long) = (renamed(argument.get_help()), renamed(argument.get_long_help()));
            argument.help(help).long_help(long)
        })
    }

    /// Examples, and what the command calls.
    fn examples(&self, command: &Command) -> String {
        let mut examples = words::examples(&self.name);
        if examples.is_empty() {
            let mut line = format!("astro {}", self.name);
            for argument in command.get_arguments().filter(|it| it.is_required_set()) {
                line.push_str(&format!(" {}", arguments::shown(argument)));
                if argument.get_long().is_some() {
                    line.push_str(" …");
                }
            }
            examples.push(line);
        }
        let many = if examples.len() > 1 { "Examples" } else { "Example" };
        let scope = contract::scope(&self.method);
        let key = scope.map_or("any key".to_owned(), |scope| format!("the scope {scope}"));
        let examples = examples.join("\n  ");
        format!("{many}:\n  {examples}\n\nCalls {}, which takes {key}.", rpc(&self.method))
    }

    /// Does what the command line asks.
    pub(crate) async fn run(
        &self,
        matches: &ArgMatches,
        cx: &mut Context<'_>,
    ) -> Result<(), Failure> {
        let mut request = flags::fill(&self.flags, &self.method, matches);
        self.name_organization(&mut request, cx).await?;
        let before = match flags::needs_before(&self.flags, matches) {
            true => self.before(&mut request, cx).await?,
            false => None,
        };
        flags::change(&self.flags, matches, before.as_ref(), &mut request);
        match self.name.as_str() {
            "assignments watch" => return assignments::watch(&request, matches, cx).await,
            "events tail" => return events::tail(&request, cx).await,
            _ => {}
        }
        let wide = self.has_columns() && matches.get_flag("--wide");
        if self.method.is_server_streaming() {
            let mut answers = call::send(&cx.client, &self.method, vec![request]).await?;
            while let Some(answer) = answers.message().await? {
                cx.out.entries(&answer, wide)?;
            }
            return Ok(());
        }
        let answer = if is_paged(&self.method.input()) {
            self.pages(request, &Paging::of(matches), cx).await?
        } else {
            call::one(&cx.client, &self.method, request).await?
        };
        if self.is_list() {
            cx.out.list(&answer, wide)?
        } else {
            cx.out.answer(&answer)?
        }
        let secret = self.method.output().fields().any(|field| contract::is_secret(&field));
        if secret {
            cx.out.remark("Keep the secret: it is not shown again.")?;
        }
        Ok(())
    }

    /// Puts the id of the organisation where it belongs, which was typed by its id or its short name;
    /// not typed, it is that of `--org`.
    async fn name_organization(
        &self,
        request: &mut DynamicMessage,
        cx: &Context<'_>,
    ) -> Result<(), Failure> {
        let (message, name) = match flags::edited(&self.method.input()) {
            Some((thing, _)) => (flags::inner(request, &thing), "id"),
            None => (request, "org_id"),
        };
        let field = message.descriptor().get_field_by_name(name);
        if let Some(field) = field.filter(contract::is_organization) {
            let named = message.get_field(&field).as_str().unwrap_or_default().to_owned();
            let id = cx.org_named(Some(named.as_str()).filter(|name| !name.is_empty())).await?;
            message.set_field(&field, Value::String(id));
        }
        Ok(())
    }

    /// What an update changes, as it is. The etag then makes sure that nobody else changes it in
    /// between.
    async fn before(
        &self,
        request: &mut DynamicMessage,
        cx: &Context<'_>,
    ) -> Result<Option<DynamicMessage>, Failure> {
        let Some((thing, _)) = flags::edited(&self.method.input()) else { return Ok(None) };
        let name = format!("Get{}", thing.kind().as_message().map_or("", |of| of.name()));
        let get = self.method.parent_service().methods().find(|method| method.name() == name);
        let get = get.ok_or_else(|| Failure::Usage(format!("the contract has no {name}")))?;
        let own = flags::inner(request, &thing);
        let mut asked = DynamicMessage::new(get.input());
        if let (Some(field), Some(id)) = (get.input().fields().next(), own.get_field_by_name("id"))
        {
            asked.set_field(&field, id.into_owned());
        }
        let found = call::one(&cx.client, &get, asked).await?;
        let before = contract::told(&get.output()).map(|told| found.get_field(&told).into_owned());
        let before = before.and_then(|before| before.as_message().cloned());
        let etag = before.as_ref().and_then(|before| before.get_field_by_name("etag"));
        if let (Some(etag), false) = (etag, own.has_field_by_name("etag")) {
            own.set_field_by_name("etag", etag.into_owned());
        }
        Ok(before)
    }

    /// All pages that are wanted as one.
    async fn pages(
        &self,
        mut request: DynamicMessage,
        paging: &Paging,
        cx: &Context<'_>,
    ) -> Result<DynamicMessage, Failure> {
        let list = contract::told(&self.method.output()).expect("a page has entries");
        let mut entries: Vec<Value> = Vec::new();
        request.set_field_by_name("page_token", Value::String(paging.page_token.clone()));
        loop {
            let size = PAGE_SIZE_MAX.min(paging.limit - entries.len());
            let size = i32::try_from(size).expect("at most 500, above");
            request.set_field_by_name("page_size", Value::I32(size));
            let mut page = call::one(&cx.client, &self.method, request.clone()).await?;
            let field = page.get_field_mut(&list);
            entries.append(field.as_list_mut().expect("a page has a list"));
            let next = page.get_field_by_name("next_page_token").map(|next| next.into_owned());
            let next = next.unwrap_or(Value::String(String::new()));
            if next.as_str() == Some("") || entries.len() >= paging.limit {
                page.set_field(&list, Value::List(entries));
                return Ok(page);
            }
            request.set_field_by_name("page_token", next);
        }
    }
}

/// How much of a list to print.
struct Paging {
    limit: usize,
    page_token: String,
}

impl Paging {
    fn of(matches: &ArgMatches) -> Self {
        let limit = *matches.get_one::<usize>("page_size").expect("it has a default");
        let limit = if matches.get_flag("--all") { usize::MAX } else { limit.max(1) };
        let page_token = matches.get_one::<String>("page_token").cloned().unwrap_or_default();
        Self { limit, page_token }
    }
}

/// Arguments of every list.
fn paging() -> [Arg; 3] {
    [
        Arg::new("page_size")
            .long("limit")
            .value_name("N")
            .value_parser(value_parser!(usize))
            .default_value("50")
            .help("Most entries to print"),
        Arg::new("--all")
            .long("all")
            .action(ArgAction::SetTrue)
            .conflicts_with("page_size")
            .help("Print all entries"),
        Arg::new("page_token")
            .long("page-token")
            .value_name("TOKEN")
            .help("Go on where an earlier list ended"),
    ]
}
