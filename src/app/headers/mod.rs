//! `headers`: the configuration of another server that hands out the site, from the same table as the door.

mod caddy;
mod netlify;
mod nginx;

use std::path::Path;

use super::error::Error;
use super::{DONE, print};
use crate::cli::{FrontServer, HeaderOptions};
use crate::model::{Format, SiteSettings};
use crate::store::content::{self, Frame};
use crate::store::site_dir::SiteDir;

/// Prints the configuration.
pub fn headers(dir: &SiteDir, server: FrontServer, options: &HeaderOptions) -> Result<u8, Error> {
    let frame = content::read_frame(dir.root())?;
    let public = match &options.public {
        Some(public) => public.clone(),
        None => std::path::absolute(dir.public()).unwrap_or_else(|_| dir.public()),
    };
    let front = Front::new(&frame, &public, options)?;
    let text = match server {
        FrontServer::Nginx => nginx::write(&front),
        FrontServer::Caddy => caddy::write(&front),
        FrontServer::Netlify => netlify::write(&front),
    };
    print(text.as_bytes())?;
    Ok(DONE)
}

/// What stands in front of the door, and of what it has to know.
struct Front<'a> {
    frame: &'a Frame,
    /// Where the pages are.
    public: String,
    /// Where the door is, as `host:port`.
    door: &'a str,
    /// Where to listen, if not where browsers look first.
    listen: Option<&'a str>,
    /// Files with the certificate and its key.
    certificate: Option<(String, String)>,
}

impl<'a> Front<'a> {
    fn new(frame: &'a Frame, public: &Path, options: &'a HeaderOptions) -> Result<Front<'a>, Error> {
        let certificate = match (&options.certificate, &options.certificate_key) {
            (Some(certificate), Some(key)) => Some((plain_path(certificate)?, plain_path(key)?)),
            _ => None,
        };
        let listen = options.listen.as_deref().map(plain).transpose()?;
        let public = plain_path(public)?;
        Ok(Front { frame, public, door: plain(&options.door)?, listen, certificate })
    }

    fn settings(&self) -> &SiteSettings {
        &self.frame.settings
    }

    /// The path of the site, with a slash at both ends.
    fn prefix(&self) -> &str {
        self.settings().prefix()
    }

    /// The name of the site's host, if it is known.
    fn host(&self) -> Option<&str> {
        self.settings().base_url.origin().map(host_of)
    }

    /// The host that takes posts, if it is another one than that of the pages.
    fn other_host(&self) -> Option<&str> {
        let origin = self.settings().post_origin()?;
        (self.settings().base_url.origin() != Some(origin)).then(|| host_of(origin))
    }

    /// Whether the site has the files of 2ch.
    fn has_two_channel(&self) -> bool {
        self.settings().written().has(Format::TwoChannel)
    }

    /// The path to which forms are sent.
    fn post_path(&self) -> String {
        let target = self.settings().post_target();
        let path = match self.settings().post_origin() {
            Some(origin) => &target[origin.len()..],
            None => &target,
        };
        let path = path.split(['?', '#']).next().unwrap_or_default();
        // Whatever this is, the door takes posts at its own address as well.
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
        match path.starts_with('/') && path != "/" && path.bytes().all(is_plain) {
            true => path.to_owned(),
            false => format!("{}post", self.prefix()),
        }
    }

    /// The first line of each configuration.
    fn made_for(&self, server: &str) -> String {
        let url = self.settings().base_url.as_str();
        format!("# Made by `nejiboard headers {server}` for {url}\n# Make it anew when settings or boards change.\n")
    }
}

/// The host in `https://host:port`.
fn host_of(origin: &str) -> &str {
    let host = origin.split_once("://").map_or(origin, |(_, host)| host);
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// SECURITY: nothing that stands in a configuration may end the word that it is.
fn plain(text: &str) -> Result<&str, Error> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/[]+@,=%".contains(&b) || !b.is_ascii();
    match !text.is_empty() && text.bytes().all(is_plain) && !text.chars().any(char::is_whitespace) {
        true => Ok(text),
        false => Err(Error::NotPlain(text.to_owned())),
    }
}

fn plain_path(path: &Path) -> Result<String, Error> {
    let text = path.to_str().ok_or_else(|| Error::NotPlain(path.to_string_lossy().into_owned()))?;
    plain(text).map(str::to_owned)
}

/// What a poster is told while the door is closed, as a page. No quotes and no `$` or `{`, which mean something to the
/// servers in whose configuration it stands.
const CLOSED_PAGE: &str = "<!DOCTYPE html><html lang=en><meta charset=utf-8><title>Closed for a moment</title>\
<h1>Closed for a moment</h1><p>Nobody takes posts right now. Go back, look whether yours is on its page, and if it is \
not, send it again in a minute. Reading goes on as ever.</p></html>";

/// What a poster is told who is too quick.
const TOO_QUICK_PAGE: &str = "<!DOCTYPE html><html lang=en><meta charset=utf-8><title>Too quick</title>\
<h1>Too quick</h1><p>Your address has sent many posts. Go back and send this one again in a minute.</p></html>";

/// The same for programs.
const CLOSED_JSON: &str =
    r#"{"error":{"code":"closed","message":"Nobody takes posts right now. Try again in a minute."}}"#;

/// Seconds after which to try again when the door is closed.
const CLOSED_SECONDS: u32 = 10;
