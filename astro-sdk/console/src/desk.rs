//! Who asks for a page, and for what: everything that a page is made of beside what it reads.

use std::convert::Infallible;
use std::sync::Arc;

use astro_sdk::Client;
use astro_sdk::v1::Organization;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_LANGUAGE, COOKIE};
use axum::http::request::Parts;
use chrono::{DateTime, Utc};
use maud::{Markup, html};

use crate::app::App;
use crate::ask::{Asked, address};
use crate::failure::Failure;
use crate::limits::CHOSEN_MAX;
use crate::readers::Caller;
use crate::session::Session;
use crate::words::{LANGUAGES, Language, Words, fill};

/// Name of the form's token.
pub(crate) const TOKEN: &str = "token";
/// Name of the form's own id, from which each of its calls has its `request_id`.
pub(crate) const FORM_ID: &str = "form";

/// How a reader likes pages.
#[derive(Clone)]
pub(crate) struct Look {
    pub language: &'static Language,
    /// `light`, `dark`, or empty for what the system says.
    pub theme: &'static str,
    /// Whether single keys do something.
    pub keys: bool,
    /// Where the request went, to come back to.
    pub here: String,
}

impl Look {
    /// As the cookies and the browser's languages say.
    pub(crate) fn of(headers: &HeaderMap, here: String) -> Self {
        let chosen = cookie(headers, "language");
        let told = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let told = told.unwrap_or_default().split(',').map(|one| one.trim());
        let mut wanted = chosen.into_iter().chain(told);
        let known = |wanted: &str| {
            LANGUAGES
                .iter()
                .copied()
                .find(|language| wanted.split(['-', ';']).next() == Some(language.code))
        };
        let language = wanted.find_map(known).unwrap_or(LANGUAGES[0]);
        let theme = match cookie(headers, "theme") {
            Some("light") => "light",
            Some("dark") => "dark",
            _ => "",
        };
        Self { language, theme, keys: cookie(headers, "keys") != Some("off"), here }
    }

    pub(crate) fn t(&self) -> &'static Words {
        self.language.words
    }
}

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        all.flat_map(|text| text.split(';')).filter_map(|one| one.trim().split_once('='));
    pairs.find_map(|(key, value)| (key == name).then_some(value))
}

/// A reader who is signed in, and what they ask for.
#[derive(Clone)]
pub(crate) struct Desk {
    pub app: App,
    /// Calls by the reader's own session.
    pub client: Client,
    pub session: Session,
    pub caller: Arc<Caller>,
    pub look: Look,
    /// What is said in the reader's language.
    pub t: &'static Words,
    /// The parameters of the address.
    pub ask: Asked,
    pub path: String,
    /// The organisation that was chosen; none: all that the session sees.
    pub org: Option<Organization>,
    pub now: DateTime<Utc>,
}

impl Desk {
    /// Whether the reader's session holds the scope. The server decides again.
    pub(crate) fn may(&self, scope: &str) -> bool {
        self.caller.may(scope)
    }

    /// Whether it is the platform's administrator.
    pub(crate) fn is_admin(&self) -> bool {
        self.caller.is_admin()
    }

    /// The chosen organisation's id; empty: all that the key sees.
    pub(crate) fn org_id(&self) -> String {
        self.org.as_ref().map(|org| org.id.clone()).unwrap_or_default()
    }

    /// The organisation in which something is made: the chosen one, the session's own, or the only one.
    ///
    /// # Errors
    /// When there are several and none is chosen.
    pub(crate) fn org_to_write(&self) -> Result<String, Failure> {
        if let Some(org) = &self.org {
            return Ok(org.id.clone());
        }
        match (self.caller.session.org_id.as_str(), self.caller.orgs.as_slice()) {
            ("", [only]) => Ok(only.id.clone()),
            ("", _) => Err(Failure::Say(self.t.choose_organisation_first.to_owned())),
            (own, _) => Ok(own.to_owned()),
        }
    }

    /// An organisation's name; the id of one that is not known.
    pub(crate) fn org_name<'a>(&'a self, id: &'a str) -> &'a str {
        let found = self.caller.orgs.iter().find(|org| org.id == id);
        found.map_or(id, |org| org.display_name.as_str())
    }

    /// An address within the console, which keeps the chosen organisation.
    pub(crate) fn to(&self, path: &str) -> String {
        self.to_with::<&str, &str>(path, &[])
    }

    /// The same with parameters.
    pub(crate) fn to_with<K: AsRef<str>, V: AsRef<str>>(
        &self,
        path: &str,
        asked: &[(K, V)],
    ) -> String {
        let org = self.org.as_ref().filter(|_| self.is_admin()).map(|org| org.slug.as_str());
        let mut all: Vec<(&str, &str)> =
            asked.iter().map(|(key, value)| (key.as_ref(), value.as_ref())).collect();
        all.extend(org.map(|slug| ("org", slug)));
        address(path, &all)
    }

    /// This address, with some of its parameters changed; an empty value takes one out.
    pub(crate) fn here_with(&self, changed: &[(&str, &str)]) -> String {
        self.there_with(&self.path, changed)
    }

    /// Another path with this address' parameters, some of them changed.
    pub(crate) fn there_with(&self, path: &str, changed: &[(&str, &str)]) -> String {
        let mut gone: Vec<&str> = changed.iter().map(|(name, _)| *name).collect();
        gone.extend(["org", "page", "done"]);
        let mut all = self.ask.without(&gone);
        all.extend(changed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self.to_with(path, &all)
    }

    /// A form that changes something: it carries the session's token and an id of its own.
    pub(crate) fn form_as(&self, class: &str, action: &str, content: Markup) -> Markup {
        html! {
            form class=[(!class.is_empty()).then_some(class)] method="post" action=(self.to(action)) {
                (self.seal())
                (content)
            }
        }
    }

    /// What each form that changes something carries.
    pub(crate) fn seal(&self) -> Markup {
        html! {
            input type="hidden" name=(TOKEN) value=(self.session.form_token());
            input type="hidden" name=(FORM_ID) value=(astro_sdk::new_request_id());
        }
    }

    /// Hidden fields by which a form that only asks keeps the chosen organisation.
    pub(crate) fn keep_org(&self) -> Markup {
        let org = self.org.as_ref().filter(|_| self.is_admin());
        html! { @if let Some(org) = org { input type="hidden" name="org" value=(org.slug); } }
    }
}

impl<S: Sync> FromRequestParts<S> for Desk {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        parts.extensions.get::<Self>().cloned().ok_or(Failure::SignedOut)
    }
}

impl<S: Sync> FromRequestParts<S> for Look {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let look = parts.extensions.get::<Self>().cloned();
        Ok(look.unwrap_or_else(|| Self::of(&parts.headers, String::new())))
    }
}

/// A form of this session that was sent.
pub(crate) struct Posted(pub Asked);

impl Posted {
    /// The `request_id` of this form's call about `what`: the same form sent again does nothing twice.
    pub(crate) fn request_id(&self, what: &str) -> String {
        let form = uuid::Uuid::parse_str(self.0.one(FORM_ID)).unwrap_or_else(|_| uuid::Uuid::nil());
        if form.is_nil() {
            return astro_sdk::new_request_id();
        }
        uuid::Uuid::new_v5(&form, what.as_bytes()).to_string()
    }
}

impl Posted {
    /// Ids of the rows that were ticked.
    ///
    /// # Errors
    /// When there are none, or more than one form acts on.
    pub(crate) fn chosen(&self, t: &Words) -> Result<Vec<String>, Failure> {
        let ids: Vec<String> = self.all("id").into_iter().map(str::to_owned).collect();
        match ids.len() {
            0 => Err(Failure::Say(t.choose_first.to_owned())),
            1..=CHOSEN_MAX => Ok(ids),
            _ => Err(Failure::Say(fill(t.too_many_chosen, &[&CHOSEN_MAX]))),
        }
    }
}

impl std::ops::Deref for Posted {
    type Target = Asked;

    fn deref(&self) -> &Asked {
        &self.0
    }
}

impl<S: Send + Sync> FromRequest<S> for Posted {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let desk = request.extensions().get::<Desk>().cloned().ok_or(Failure::SignedOut)?;
        let bytes = Bytes::from_request(request, state).await.map_err(|_| Failure::TooLarge)?;
        let asked = Asked::parse(&String::from_utf8_lossy(&bytes));
        if desk.session.is_form_token(asked.one(TOKEN)) {
            Ok(Self(asked))
        } else {
            Err(Failure::Forged)
        }
    }
}
