//! The heads of the commonest requests and of their answers, read and written without hyper.
//!
//! Nearly all requests are a `GET` without a body. For these hyper's buffers and its bookkeeping cost more than all the
//! rest, in memory most of all. So a connection reads heads by itself, and what is plain enough becomes a request here.
//! Whatever is unusual, wrong or has a body is not judged here but goes to hyper as it came: this may take less than HTTP
//! allows, and never more.

use std::time::SystemTime;

use http_body_util::Empty;
use hyper::body::{Body as _, Bytes};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode, Uri};
use memchr::memmem;

use super::Body;

/// A request that has no body.
pub(super) type Plain = Request<Empty<Bytes>>;

/// Where the first head in `bytes` ends, if all of it is there. Before `from` there is no end.
///
/// An end with bare line feeds counts too, so that what hyper would answer does not wait for more.
pub(super) fn end(bytes: &[u8], from: usize) -> Option<usize> {
    // An end may have begun with the bytes that were there before.
    let from = from.saturating_sub(3).min(bytes.len());
    let strict = memmem::find(&bytes[from..], b"\r\n\r\n").map(|at| at + 4);
    let loose = || memmem::find(&bytes[from..], b"\n\n").map(|at| at + 2);
    strict.or_else(loose).map(|at| from + at)
}

/// Whether a head may go on like this.
pub(super) fn may_begin(bytes: &[u8]) -> bool {
    let methods: [&[u8]; 4] = [b"GET ", b"POST ", b"HEAD ", b"OPTIONS "];
    methods.iter().any(|method| bytes.iter().zip(*method).all(|(has, should)| has == should))
}

/// The request that a whole head is, if it is plain.
pub(super) fn plain(head: &Bytes, headers_max: usize) -> Option<Plain> {
    let mut at = line_end(head, 0)?;
    let target = head[..at].strip_prefix(b"GET ")?.strip_suffix(b" HTTP/1.1")?;
    if target.first() != Some(&b'/') || target.contains(&b' ') {
        return None;
    }
    let uri = Uri::from_maybe_shared(head.slice_ref(target)).ok()?;
    let mut request = Request::new(Empty::new());
    *request.method_mut() = Method::GET;
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    headers.reserve(16);
    for _ in 0..=headers_max {
        let from = at + 2;
        at = line_end(head, from)?;
        let line = &head[from..at];
        if line.is_empty() {
            return (at + 2 == head.len()).then_some(request);
        }
        let colon = memchr::memchr(b':', line)?;
        // A name of spaces or one that begins with them is none, so no folded line comes through.
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        let value = line[colon + 1..].trim_ascii();
        if !is_plain(&name, value) {
            return None;
        }
        headers.append(name, HeaderValue::from_maybe_shared(head.slice_ref(value)).ok()?);
    }
    None
}

/// Where the line that begins at `from` ends; `None` if a bare line feed comes first.
fn line_end(head: &[u8], from: usize) -> Option<usize> {
    let feed = from + memchr::memchr(b'\n', head.get(from..)?)?;
    (from < feed && head[feed - 1] == b'\r').then(|| feed - 1)
}

/// Whether a header leaves the connection and the end of the request as they are.
fn is_plain(name: &HeaderName, value: &[u8]) -> bool {
    match *name {
        header::CONNECTION => value.eq_ignore_ascii_case(b"keep-alive"),
        header::CONTENT_LENGTH | header::TRANSFER_ENCODING | header::EXPECT | header::UPGRADE | header::TE => false,
        _ => true,
    }
}

/// The head of an answer, as it is sent.
pub(super) fn written(response: &Response<Body>, now: SystemTime) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1024);
    let status = response.status();
    bytes.extend_from_slice(b"HTTP/1.1 ");
    bytes.extend_from_slice(status.as_str().as_bytes());
    bytes.push(b' ');
    bytes.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    bytes.extend_from_slice(b"\r\n");
    for (name, value) in response.headers() {
        line(&mut bytes, name.as_str(), value.as_bytes());
    }
    let has_length = response.headers().contains_key(header::CONTENT_LENGTH);
    if let Some(length) = response.body().size_hint().exact()
        && !has_length
        && !matches!(status, StatusCode::NOT_MODIFIED | StatusCode::NO_CONTENT)
    {
        line(&mut bytes, "content-length", length.to_string().as_bytes());
    }
    line(&mut bytes, "date", httpdate::fmt_http_date(now).as_bytes());
    bytes.extend_from_slice(b"\r\n");
    bytes
}

fn line(bytes: &mut Vec<u8>, name: &str, value: &[u8]) {
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(b": ");
    bytes.extend_from_slice(value);
    bytes.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a head is plain, and then its path and headers.
    fn check(head: &str, expected: Option<&str>) {
        let request = plain(&Bytes::copy_from_slice(head.as_bytes()), 3);
        let told = request.map(|request| {
            let headers = request.headers().iter();
            let headers = headers.map(|(name, value)| format!("{name}={}", String::from_utf8_lossy(value.as_bytes())));
            format!("{} {}", request.uri(), headers.collect::<Vec<_>>().join(" "))
        });
        assert_eq!(told.as_deref(), expected, "{head:?}");
    }

    #[test]
    fn only_plain_heads_are_taken() {
        check("GET / HTTP/1.1\r\nHost: a\r\n\r\n", Some("/ host=a"));
        check(
            "GET /a?b HTTP/1.1\r\nHOST:a \r\nConnection: Keep-Alive\r\n\r\n",
            Some("/a?b host=a connection=Keep-Alive"),
        );
        check("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", Some("/ host=a host=b"));
        for other in [
            "HEAD / HTTP/1.1\r\n\r\n",
            "get / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.0\r\n\r\n",
            "GET / HTTP/1.1\n\n",
            "GET / HTTP/1.1\r\nA: b\n\r\n",
            "GET / HTTP/1.1\r\n A: b\r\n\r\n",
            "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
            "GET / HTTP/1.1\r\nA : b\r\n\r\n",
            "GET / HTTP/1.1\r\nA\r\n\r\n",
            "GET / HTTP/1.1\r\n: b\r\n\r\n",
            "GET / HTTP/1.1\r\nA: b\rc\r\n\r\n",
            "GET / HTTP/1.1\r\nA: b\0c\r\n\r\n",
            "GET /\0 HTTP/1.1\r\n\r\n",
            "GET  / HTTP/1.1\r\n\r\n",
            "GET /a b HTTP/1.1\r\n\r\n",
            "GET http://a/ HTTP/1.1\r\n\r\n",
            "GET * HTTP/1.1\r\n\r\n",
            "\r\nGET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
            "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
            "GET / HTTP/1.1\r\nConnection: keep-alive, Upgrade\r\n\r\n",
            "GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\nmore",
        ] {
            check(other, None);
        }
    }

    #[test]
    fn an_end_is_found_wherever_it_is_cut() {
        let whole = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nnext";
        for from in 0..27 {
            assert_eq!(end(whole, from), Some(27), "{from}");
        }
        assert_eq!(end(&whole[..26], 0), None);
        assert_eq!(end(b"GET / HTTP/1.1\n\n", 0), Some(16));
        assert_eq!(end(b"", 0), None);
    }
}
