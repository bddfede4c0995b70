//! Steam's hosts.

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Host {
    Api,
    Community,
}

impl Host {
    pub(crate) const ALL: [Self; 2] = [Self::Api, Self::Community];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Api => "api.steampowered.com",
            Self::Community => "steamcommunity.com",
        }
    }

    /// Its name with the path that all paths begin with.
    pub(crate) fn root(self) -> String {
        format!("{}/", self.name())
    }

    pub(super) fn base(self) -> String {
        format!("https://{}", self.name())
    }
}
