//! What the door and the pages of staff tell each other. The door knows nothing of accounts, and those nothing of HTTP.

use std::net::IpAddr;
use std::pin::Pin;

/// A request for a page of staff.
#[derive(Clone, Default, Debug)]
pub struct StaffRequest {
    /// What stands behind `mod/` in the path, and behind its question mark.
    pub path: String,
    /// See [`StaffRequest::path`]; empty without one.
    pub query: String,
    /// The fields of a form that was sent; `None` for a page that is only asked for.
    pub form: Option<Vec<(String, String)>>,
    /// The `Cookie` header; empty without one.
    pub cookies: String,
    /// The `Host` header; empty without one.
    pub host: String,
    /// The `Origin` header.
    pub origin: Option<String>,
    /// The `Sec-Fetch-Site` header.
    pub fetch_site: Option<String>,
    /// Where it came from.
    pub address: Option<IpAddr>,
}

impl StaffRequest {
    /// The first value of a field of the form; empty if there is none.
    pub fn field<'a>(&'a self, name: &'a str) -> &'a str {
        self.fields(name).next().unwrap_or_default()
    }

    /// All values of a field.
    pub fn fields<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let all = self.form.iter().flatten();
        all.filter(move |(there, _)| there == name).map(|(_, value)| value.as_str())
    }
}

/// An answer to one.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct StaffAnswer {
    /// The status.
    pub status: u16,
    /// The page, or the style sheet of all of them.
    pub body: String,
    /// Whether it is the style sheet.
    pub is_css: bool,
    /// Where to go instead.
    pub location: Option<String>,
    /// A `Set-Cookie` header.
    pub cookie: Option<String>,
    /// Seconds after which to try again.
    pub retry_after: Option<u32>,
}

impl StaffAnswer {
    /// A page.
    pub fn page(status: u16, body: String) -> StaffAnswer {
        StaffAnswer { status, body, ..StaffAnswer::default() }
    }

    /// Leads elsewhere, to be fetched there.
    pub fn to(location: String) -> StaffAnswer {
        StaffAnswer { status: 303, location: Some(location), ..StaffAnswer::default() }
    }
}

/// An answer, once it is there. `None`: there is nothing at that address.
pub type Answering = Pin<Box<dyn Future<Output = Option<StaffAnswer>> + Send>>;
