//! Where a request came from, if a proxy brought it.

use std::net::IpAddr;

use hyper::HeaderMap;
use ipnet::IpNet;

/// The address of the client. `peer` is who has connected.
///
/// SECURITY: each proxy adds whom it has heard to the end of `X-Forwarded-For`, and what stands before that is what it
/// was told, true or not. So the list is read from its end, as long as trusted proxies stand there; the first that is none is
/// the client. Whoever connects without being trusted may write there what it likes.
pub(super) fn client(headers: &HeaderMap, peer: IpAddr, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|range| range.contains(&address.to_canonical()));
    if trusted.is_empty() || !is_trusted(peer) {
        return peer;
    }
    let mut client = peer;
    for line in headers.get_all("x-forwarded-for").iter().rev() {
        for told in line.to_str().unwrap_or_default().rsplit(',') {
            // Whoever stands before what is no address cannot be known.
            let Some(address) = parsed(told.trim()) else { return client };
            client = address;
            if !is_trusted(client) {
                return client;
            }
        }
    }
    client
}

/// An address, as proxies write it: alone, with a port, or in brackets.
fn parsed(told: &str) -> Option<IpAddr> {
    let bare = told.strip_prefix('[').and_then(|rest| rest.split(']').next()).unwrap_or(told);
    let bare = match bare.rsplit_once(':') {
        Some((address, _)) if address.contains('.') => address,
        _ => bare,
    };
    bare.parse().ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who is taken for the client, when 10.0.0.1 and all of 192.0.2.0/24 are trusted.
    #[track_caller]
    fn check(peer: &str, told: &[&str], expected: &str) {
        let mut headers = HeaderMap::new();
        for line in told {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let trusted = ["10.0.0.1/32".parse().unwrap(), "192.0.2.0/24".parse().unwrap()];
        let client = client(&headers, peer.parse().unwrap(), &trusted);
        assert_eq!(client, expected.parse::<IpAddr>().unwrap(), "{told:?}");
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        check("203.0.113.9", &["198.51.100.1"], "203.0.113.9");
        check("10.0.0.1", &[], "10.0.0.1");
        check("::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1");
        check("10.0.0.1", &["198.51.100.1"], "198.51.100.1");
        check("10.0.0.1", &["1.1.1.1, 198.51.100.1"], "198.51.100.1");
        check("10.0.0.1", &["1.1.1.1, 198.51.100.1, 192.0.2.7"], "198.51.100.1");
        check("10.0.0.1", &["1.1.1.1", "198.51.100.1"], "198.51.100.1");
        check("10.0.0.1", &["junk, 192.0.2.7"], "192.0.2.7");
        check("10.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1");
        check("10.0.0.1", &["198.51.100.1:4711"], "198.51.100.1");
    }
}
