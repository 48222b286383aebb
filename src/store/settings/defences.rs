//! What settings of defences take: when there is work to do for a post, and whose lists of spammers are asked.

use std::net::{IpAddr, SocketAddr};

use crate::model::settings::{DnsblAction, ProofOfWork};

/// Lists that can be asked.
const ZONES_MAX: usize = 4;

/// Characters in the name of a list: with the 64 of an IPv6 address before them it is a name of the DNS.
const ZONE_CHARS_MAX: usize = 180;

/// Where name servers listen.
const DNS_PORT: u16 = 53;

pub(super) fn proof_of_work(text: &str) -> Result<ProofOfWork, String> {
    let named = ProofOfWork::NAMED.iter().find(|(name, _)| *name == text);
    named.map(|(_, when)| *when).ok_or_else(|| "`guarded`, `always` or `never`".to_owned())
}

pub(super) fn dnsbl_action(text: &str) -> Result<DnsblAction, String> {
    let named = DnsblAction::NAMED.iter().find(|(name, _)| *name == text);
    named.map(|(_, action)| *action).ok_or_else(|| "`hold` or `reject`".to_owned())
}

pub(super) fn dnsbl(texts: &[String]) -> Result<Vec<String>, String> {
    if let Some(wrong) = texts.iter().find(|text| !is_zone(text)) {
        return Err(format!("names such as `dnsbl.example.org`; `{wrong}` is none"));
    }
    match texts.len() {
        ..=ZONES_MAX => Ok(texts.iter().map(|text| text.trim_end_matches('.').to_ascii_lowercase()).collect()),
        _ => Err(format!("at most {ZONES_MAX} lists")),
    }
}

/// Whether it is a name of the DNS with a dot in it.
fn is_zone(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
    };
    text.len() <= ZONE_CHARS_MAX && text.contains('.') && text.split('.').all(is_label)
}

pub(super) fn dnsbl_server(text: &str) -> Result<Option<SocketAddr>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let address = text.parse::<IpAddr>().map(|address| SocketAddr::new(address, DNS_PORT));
    let server = address.or_else(|_| text.parse::<SocketAddr>());
    server.map(Some).map_err(|_| "an address such as `127.0.0.1` or `[::1]:53`".to_owned())
}
