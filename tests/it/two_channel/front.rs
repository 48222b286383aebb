//! nginx and Caddy in front: files have their type, parts are of plain files, and clients reach the door.

use std::net::SocketAddr;

use super::super::proxy::{Front, printed};
use super::super::sandbox::Sandbox;
use super::super::sandbox::running::{Running, wait_until};
use super::door::form;
use super::reader::text;
use super::sending::{fetch, is_taken, send};

fn site(base_url: &str, precompress: &str) -> Sandbox {
    let mut thread = "--- {no: 1, at: 2025-03-02, subject: 題名}\nthe first post\n".to_owned();
    (2..60).for_each(|no| thread += &format!("--- {{no: {no}}}\nあいうえお\n"));
    let site = Sandbox::empty();
    let settings = format!("title: T\nbase_url: {base_url}\nformats: 2ch\nprecompress: {precompress}\n");
    site.write("content/site.yaml", settings);
    site.write("content/tech/1.md", thread);
    site.build();
    site
}

/// The front at `address` does for a client what the door does.
#[track_caller]
fn serves_clients(address: SocketAddr, door: &Running, site: &Sandbox, prefix: &str, precompress: &str) {
    for (path, media) in [
        ("tech/dat/1.dat", "text/plain; charset=Shift_JIS"),
        ("tech/subject.txt", "text/plain; charset=Shift_JIS"),
        ("tech/SETTING.TXT", "text/plain; charset=Shift_JIS"),
        ("bbsmenu.html", "text/html; charset=Shift_JIS"),
        ("tech/index.html", "text/html; charset=utf-8"),
        ("tech/dat/99.dat", "text/html; charset=utf-8"),
    ] {
        let path = format!("{prefix}{path}");
        let (ours, theirs) = (fetch(door.address, &path, ""), fetch(address, &path, ""));
        assert_eq!((theirs.status, theirs.header("content-type")), (ours.status, media), "{path}: {}", theirs.head);
        assert_eq!(ours.header("content-type"), media, "{path}");
        for name in ["cache-control", "x-content-type-options", "content-security-policy"] {
            assert_eq!(theirs.header(name), ours.header(name), "{path}: {name}");
        }
        assert_eq!(theirs.body, ours.body, "{path}");
    }

    let dat = format!("{prefix}tech/dat/1.dat");
    let whole = fetch(address, &dat, "");
    let packed = fetch(address, &dat, "Accept-Encoding: gzip\r\n");
    assert_eq!((packed.status, packed.header("content-encoding")), (200, "gzip"), "{}", packed.head);
    let modified = whole.header("last-modified").to_owned();
    let had = whole.body.len() - 1;
    let conditions =
        |from: usize, more: &str| format!("If-Modified-Since: {modified}\r\nRange: bytes={from}-\r\n{more}");
    assert_eq!(fetch(address, &dat, &conditions(had, "")).status, 304);

    is_taken(&send(address, &format!("{prefix}test/bbs.cgi"), &form("1", "", "sage", &"螺子".repeat(300))));
    let now = fetch(address, &dat, "").body;
    wait_for_siblings(site, precompress);
    assert!(text(&now[had..]).contains("螺子 <>"), "{}", text(&now[had..]));
    for more in ["", "Accept-Encoding: gzip\r\n"] {
        let rest = fetch(address, &dat, &conditions(had, more));
        assert_eq!((rest.status, rest.header("content-encoding")), (206, ""), "{more}{}", rest.head);
        assert_eq!(rest.header("content-range"), format!("bytes {had}-{}/{}", now.len() - 1, now.len()));
        assert_eq!(rest.body, now[had..], "{more}");
        assert_eq!(fetch(address, &dat, &conditions(now.len(), more)).status, 416, "{more}");
    }
    let place = fetch(address, &format!("{prefix}test/read.cgi/tech/1/3"), "");
    assert_eq!((place.status, place.header("location")), (302, format!("{prefix}tech/thread/1.html#p3").as_str()));
}

const SITES: [(&str, &str, &str); 2] =
    [("http://board.test/", "/", ""), ("https://board.test/boards/", "/boards/", "[gzip, brotli]")];

#[test]
fn nginx_serves_clients_of_2ch() {
    for (base_url, prefix, precompress) in SITES {
        let site = site(base_url, precompress);
        let door = Running::start(site.root());
        let Some(front) = Front::nginx(&site, door.address) else { return };
        wait_for_siblings(&site, precompress);
        serves_clients(front.address, &door, &site, prefix, precompress);
    }
}

#[test]
fn caddy_serves_clients_of_2ch() {
    for (base_url, prefix, precompress) in SITES {
        let site = site(base_url, precompress);
        let door = Running::start(site.root());
        let Some(front) = Front::caddy(&site, door.address) else { return };
        wait_for_siblings(&site, precompress);
        serves_clients(front.address, &door, &site, prefix, precompress);
    }
}

/// A part of a packed sibling would be worth nothing.
fn wait_for_siblings(site: &Sandbox, precompress: &str) {
    if !precompress.is_empty() {
        wait_until("the dat is packed", || site.has_page("tech/dat/1.dat.gz"));
    }
}

#[test]
fn a_door_on_another_host_is_reached_from_that_of_the_pages() {
    let site = Sandbox::new("==> content/tech/1.md\n--- {no: 1}\nx\n");
    let settings = "base_url: https://www.example.org/\npost_url: https://post.example.org/in\n";
    site.write("content/site.yaml", format!("{settings}formats: 2ch\n"));
    for (server, host, other) in [
        ("nginx", "server_name www.example.org;", "server_name post.example.org;"),
        ("caddy", "\nhttps://www.example.org {", "\nhttps://post.example.org {"),
    ] {
        let told = printed(&site, &[server]);
        let (pages, door) = (told.find(host).unwrap(), told.find(other).unwrap());
        assert!(pages < told.find("/test/bbs.cgi").unwrap() && told.rfind("/test/bbs.cgi").unwrap() < door, "{told}");
    }
    let netlify = printed(&site, &["netlify"]);
    assert!(netlify.contains("\n/tech/dat/*\n  Content-Type: text/plain; charset=Shift_JIS\n"), "{netlify}");
    assert!(netlify.contains("\n#   /test/* https://door.example.org/test/:splat 200!\n"), "{netlify}");
    site.write("content/site.yaml", settings);
    for server in ["nginx", "caddy", "netlify"] {
        let told = printed(&site, &[server]);
        assert!(!told.contains("Shift_JIS") && !told.contains("/test/"), "{told}");
    }
}
