//! The files below `public/`: what they come with, and that nothing else comes.

use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::setup::{Fake, NOW, Quiet, quick, request};
use nejiboard::intake::Limits;
use nejiboard::model::SiteSettings;
use nejiboard::model::settings::BaseUrl;

/// A site of a few files, all changed a day before the backend's now.
fn site() -> Quiet {
    below("/", quick())
}

fn below(base_url: &str, limits: Limits) -> Quiet {
    let site = SiteSettings { base_url: BaseUrl::parse(base_url).unwrap(), ..SiteSettings::default() };
    let quiet = Quiet::with_limits(Fake { site, ..Fake::default() }, limits);
    quiet.file("index.html", "home");
    quiet.file("tech/index.html", "tech");
    quiet.file("tech/thread/1.html", "0123456789");
    quiet.file("404.html", "lost");
    quiet.file("assets/style.1f00.css", "a{}");
    for path in ["index.html", "tech/index.html", "tech/thread/1.html", "404.html", "assets/style.1f00.css"] {
        change(&quiet, path, NOW - 86_400);
    }
    quiet
}

/// Sets when a file was last changed.
fn change(quiet: &Quiet, path: &str, seconds: u64) {
    let file = fs::File::options().write(true).open(quiet.public.path().join("public").join(path)).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
}

#[test]
fn a_file_comes_with_its_type_and_its_validators() {
    let quiet = site();
    let answer = quiet.get("/tech/thread/1.html");
    assert_eq!((answer.status, answer.text().as_str()), (200, "0123456789"));
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("last-modified", "Wed, 31 Dec 2025 00:00:00 GMT"),
        ("cache-control", "public, max-age=0, s-maxage=2, stale-while-revalidate=1, stale-if-error=86400"),
        ("accept-ranges", "bytes"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        (
            "content-security-policy",
            "default-src 'none'; img-src 'self'; style-src 'self'; font-src 'self'; script-src 'self'; \
             connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        ("access-control-allow-origin", ""),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    let etag = answer.header("etag");
    assert!(etag.len() > 16 && etag.starts_with('"') && etag.ends_with('"'), "{etag}");
}

#[test]
fn types_go_by_the_name() {
    let quiet = site();
    for (path, media_type) in [
        ("tech/1.json", "application/json; charset=utf-8"),
        ("feed.xml", "application/xml; charset=utf-8"),
        ("robots.txt", "text/plain; charset=utf-8"),
        ("tech/subject.txt", "text/plain; charset=Shift_JIS"),
        ("tech/SETTING.TXT", "text/plain; charset=Shift_JIS"),
        ("tech/dat/1.dat", "text/plain; charset=Shift_JIS"),
        ("assets/a.css", "text/css; charset=utf-8"),
        ("assets/a.js", "text/javascript; charset=utf-8"),
        ("assets/a.svg", "image/svg+xml; charset=utf-8"),
        ("assets/a.woff2", "font/woff2"),
        ("assets/a.webmanifest", "application/manifest+json; charset=utf-8"),
        ("assets/a.png", "image/png"),
        ("assets/a.unknown", "application/octet-stream"),
        ("assets/plain", "application/octet-stream"),
    ] {
        quiet.file(path, "x");
        assert_eq!(quiet.get(&format!("/{path}")).header("content-type"), media_type, "{path}");
    }
    assert_eq!(quiet.get("/tech/1.json").header("access-control-allow-origin"), "*");
    assert_eq!(quiet.get("/assets/a.css").header("cache-control"), "public, max-age=31536000, immutable");
}

#[test]
fn a_folder_is_its_index() {
    let quiet = site();
    assert_eq!(quiet.get("/").text(), "home");
    assert_eq!(quiet.get("/tech/?query").text(), "tech");
    let answer = quiet.get("/tech");
    assert_eq!((answer.status, answer.header("location")), (308, "/tech/"));
    assert_eq!(quiet.get("/tech/thread/").status, 404);
}

#[test]
fn a_site_below_a_prefix_has_nothing_beside_it() {
    let quiet = below("https://board.test/boards/", quick());
    assert_eq!(quiet.get("/boards/tech/").text(), "tech");
    for path in ["/", "/boards"] {
        let answer = quiet.get(path);
        assert_eq!((answer.status, answer.header("location")), (308, "/boards/"), "{path}");
    }
    for path in ["/tech/", "/boardstech/", "/boards//tech/"] {
        assert_eq!(quiet.get(path).status, 404, "{path}");
    }
    assert_eq!(quiet.get("/boards/tech").header("location"), "/boards/tech/");
}

#[test]
fn head_tells_what_get_would() {
    let quiet = site();
    for path in ["/tech/thread/1.html", "/", "/nothing", "/tech", "/post"] {
        let get = quiet.get(path);
        let head = quiet.ask(request("HEAD", path, &[], ""));
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
        assert_eq!(head.header("content-length"), get.body.len().to_string(), "{path}");
        for name in ["content-type", "etag", "last-modified", "cache-control", "location"] {
            assert_eq!(head.header(name), get.header(name), "{path} {name}");
        }
    }
}

#[test]
fn what_is_not_there_is_the_sites_own_page() {
    let quiet = site();
    let answer = quiet.get("/nothing");
    assert_eq!((answer.status, answer.text().as_str()), (404, "lost"));
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert_eq!((answer.header("etag"), answer.header("vary")), ("", "accept"));
    let answer = quiet.get_with("/nothing.json", &[("accept", "application/json")]);
    assert_eq!((answer.status, answer.json()["error"]["code"].as_str()), (404, Some("not_found")));
    fs::remove_file(quiet.public.path().join("public/404.html")).unwrap();
    let answer = quiet.get("/nothing");
    assert_eq!(answer.status, 404);
    assert!(answer.text().contains("<h1>not_found</h1>"), "{}", answer.text());
}

#[test]
fn a_client_that_has_the_file_is_told_so() {
    let quiet = site();
    let etag = quiet.get("/tech/thread/1.html").header("etag").to_owned();
    let weak = format!("\"other\", W/{etag}");
    for (headers, status) in [
        (vec![("if-none-match", etag.as_str())], 304),
        (vec![("if-none-match", weak.as_str())], 304),
        (vec![("if-none-match", "*")], 304),
        (vec![("if-none-match", "\"other\"")], 200),
        (vec![("if-modified-since", "Wed, 31 Dec 2025 00:00:00 GMT")], 304),
        (vec![("if-modified-since", "Wednesday, 31-Dec-25 00:00:00 GMT")], 304),
        (vec![("if-modified-since", "Wed, 31 Dec 2025 00:00:01 GMT")], 304),
        (vec![("if-modified-since", "Tue, 30 Dec 2025 23:59:59 GMT")], 200),
        (vec![("if-modified-since", "yesterday")], 200),
        // The tag counts more than the date.
        (vec![("if-none-match", "\"other\""), ("if-modified-since", "Wed, 31 Dec 2025 00:00:00 GMT")], 200),
        (vec![("if-match", "\"other\"")], 412),
        (vec![("if-match", weak.as_str())], 412),
        (vec![("if-match", etag.as_str())], 200),
        (vec![("if-unmodified-since", "Tue, 30 Dec 2025 23:59:59 GMT")], 412),
    ] {
        let answer = quiet.get_with("/tech/thread/1.html", &headers);
        assert_eq!(answer.status, status, "{headers:?}");
        if status == 304 {
            assert_eq!((answer.body.len(), answer.header("etag")), (0, etag.as_str()), "{headers:?}");
        }
    }
}

#[test]
fn a_part_of_a_file_can_be_asked_for() {
    let quiet = site();
    for (range, status, body, content_range) in [
        ("bytes=0-3", 206, "0123", "bytes 0-3/10"),
        ("bytes=9-", 206, "9", "bytes 9-9/10"),
        ("bytes=-3", 206, "789", "bytes 7-9/10"),
        ("bytes=-99", 206, "0123456789", "bytes 0-9/10"),
        ("bytes=5-18446744073709551616", 206, "56789", "bytes 5-9/10"),
        ("bytes=10-", 416, "", "bytes */10"),
        ("bytes=-0", 416, "", "bytes */10"),
        ("bytes=99999999999999999999-", 416, "", "bytes */10"),
        ("bytes=0-1,3-4", 200, "0123456789", ""),
        ("bytes=3-1", 200, "0123456789", ""),
        ("bytes=-", 200, "0123456789", ""),
        ("bytes=a-b", 200, "0123456789", ""),
        ("bytes=+1-2", 200, "0123456789", ""),
        ("lines=0-3", 200, "0123456789", ""),
    ] {
        let answer = quiet.get_with("/tech/thread/1.html", &[("range", range)]);
        assert_eq!((answer.status, answer.text().as_str()), (status, body), "{range}");
        assert_eq!(answer.header("content-range"), content_range, "{range}");
    }
}

#[test]
fn a_part_is_only_cut_from_the_file_that_the_client_knows() {
    let quiet = site();
    let etag = quiet.get("/tech/thread/1.html").header("etag").to_owned();
    for (if_range, status) in [
        (etag.as_str(), 206),
        ("\"other\"", 200),
        ("W/\"other\"", 200),
        (format!("W/{etag}").as_str(), 200),
        ("Wed, 31 Dec 2025 00:00:00 GMT", 206),
        ("Wed, 31 Dec 2025 00:00:01 GMT", 200),
    ] {
        let answer = quiet.get_with("/tech/thread/1.html", &[("range", "bytes=0-3"), ("if-range", if_range)]);
        assert_eq!(answer.status, status, "{if_range}");
    }
}

#[test]
fn a_packed_sibling_of_the_same_state_is_sent_to_those_who_take_it() {
    let quiet = site();
    quiet.file("tech/index.html.gz", "packed");
    change(&quiet, "tech/index.html.gz", NOW - 86_400);
    for (accept, packed) in [
        ("gzip, deflate, br", true),
        ("br;q=1.0, gzip;q=0.5", true),
        ("*", true),
        ("gzip;q=0, *", false),
        ("br", false),
        ("identity", false),
        ("", false),
    ] {
        let answer = quiet.get_with("/tech/", &[("accept-encoding", accept)]);
        assert_eq!(answer.text(), if packed { "packed" } else { "tech" }, "{accept}");
        assert_eq!(answer.header("content-encoding"), if packed { "gzip" } else { "" }, "{accept}");
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(answer.header("vary"), "accept-encoding");
        let etag = answer.header("etag").to_owned();
        let again = quiet.get_with("/tech/", &[("accept-encoding", accept), ("if-none-match", &etag)]);
        assert_eq!(again.status, 304, "{accept}");
    }
    let other = quiet.get_with("/tech/", &[("accept-encoding", "gzip"), ("if-match", "\"other\"")]);
    assert_eq!((other.status, other.header("content-encoding")), (412, ""));
    let part = quiet.get_with("/tech/", &[("accept-encoding", "gzip"), ("range", "bytes=0-1")]);
    assert_eq!((part.status, part.text().as_str()), (206, "te"));
    // A sibling that was left behind by a change is not of this file.
    quiet.file("tech/index.html", "news");
    assert_eq!(quiet.get_with("/tech/", &[("accept-encoding", "gzip")]).text(), "news");
}

/// Nearly every client asks for packed pages, and to look each time would cost two calls to the system.
#[test]
fn that_there_is_no_sibling_is_believed_for_a_second() {
    let quiet = site();
    let coding =
        |accept| quiet.get_with("/tech/", &[("accept-encoding", accept)]).header("content-encoding").to_owned();
    let put = |ending: &str| {
        quiet.file(&format!("tech/index.html.{ending}"), ending);
        change(&quiet, &format!("tech/index.html.{ending}"), NOW - 86_400);
    };
    let next_second = || quiet.backend.now.fetch_add(1, Ordering::Relaxed);
    assert_eq!(coding("br"), "");
    put("gz");
    assert_eq!(coding("gzip, br"), "gzip", "what was not asked for is looked for");
    put("br");
    assert_eq!(coding("gzip, br"), "gzip", "the other one was not there in this second");
    next_second();
    assert_eq!(coding("gzip, br"), "br");
    // One that goes is not handed out any more, not for a moment.
    std::fs::remove_file(quiet.public.path().join("public/tech/index.html.br")).unwrap();
    assert_eq!(coding("gzip, br"), "gzip");
    // And with another page all is looked for anew.
    quiet.file("tech/index.html", "news");
    change(&quiet, "tech/index.html", NOW - 86_300);
    put("br");
    change(&quiet, "tech/index.html.br", NOW - 86_300);
    assert_eq!(coding("gzip, br"), "br");
}

/// The bytes that are packed in these.
fn unpacked(bytes: &[u8]) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_page_without_a_sibling_is_packed_in_memory() {
    let quiet = site();
    let gzip = [("accept-encoding", "gzip")];
    for text in ["a page ".repeat(1_000), "another ".repeat(1_000)] {
        quiet.file("tech/index.html", &text);
        let plain = quiet.get("/tech/");
        assert_eq!((plain.text(), plain.header("content-encoding")), (text.clone(), ""));
        for _ in 0..2 {
            let packed = quiet.get_with("/tech/", &gzip);
            assert_eq!(packed.header("content-encoding"), "gzip");
            assert!(packed.body.len() < 1_000);
            assert_eq!(unpacked(&packed.body), text);
            assert_eq!(packed.header("last-modified"), plain.header("last-modified"));
            // Another form of the same page is not the same bytes.
            assert_ne!(packed.header("etag"), plain.header("etag"));
            let again = quiet.get_with("/tech/", &[gzip[0], ("if-none-match", packed.header("etag"))]);
            assert_eq!(again.status, 304);
        }
    }
    // What gets no smaller, and what is packed by its nature, stays as it is.
    quiet.file("tech/index.html", "short");
    quiet.file("picture.png", "x".repeat(1_000));
    for path in ["/tech/", "/picture.png"] {
        assert_eq!(quiet.get_with(path, &gzip).header("content-encoding"), "", "{path}");
    }
}

#[test]
fn packed_pages_count_for_what_is_kept_in_memory() {
    let limits = Limits { cache_bytes_max: 200_000, ..quick() };
    let quiet = Quiet::with_limits(Fake::default(), limits);
    for no in 0..100_u32 {
        // Digits that no packing makes much smaller.
        let text: String = (0..3_000_u32).map(|at| (no * 3_000 + at).wrapping_mul(2_654_435_761).to_string()).collect();
        quiet.file(&format!("{no}.html"), &text);
        let answer = quiet.get_with(&format!("/{no}.html"), &[("accept-encoding", "gzip")]);
        assert_eq!(unpacked(&answer.body), text);
        assert!(quiet.door.bytes_in_memory() <= 200_000);
    }
    assert!(50_000 < quiet.door.bytes_in_memory());
}

#[test]
fn a_change_is_seen_at_once_whatever_its_time() {
    let quiet = site();
    let first = quiet.get("/tech/thread/1.html");
    // As the publisher does it: beside it, then renamed; here with equal size and equal time.
    let public = quiet.public.path().join("public");
    fs::write(public.join("tech/thread/draft"), "9876543210").unwrap();
    change(&quiet, "tech/thread/draft", NOW - 86_400);
    fs::rename(public.join("tech/thread/draft"), public.join("tech/thread/1.html")).unwrap();
    let second = quiet.get("/tech/thread/1.html");
    assert_eq!(second.text(), "9876543210");
    assert_ne!(first.header("etag"), second.header("etag"));
    fs::remove_file(public.join("tech/thread/1.html")).unwrap();
    assert_eq!(quiet.get("/tech/thread/1.html").status, 404);
}

#[test]
fn no_file_is_from_the_future() {
    let quiet = site();
    change(&quiet, "index.html", NOW + 5);
    let answer = quiet.get("/");
    assert_eq!(answer.header("last-modified"), "Thu, 01 Jan 2026 00:00:00 GMT");
    // So a client that has an older state of this second gets the newer one.
    let since = [("if-modified-since", "Thu, 01 Jan 2026 00:00:00 GMT")];
    assert_eq!(quiet.get_with("/", &since).status, 200);
}

#[test]
fn large_files_are_streamed_and_small_ones_kept_within_bounds() {
    let limits = Limits { cache_file_bytes_max: 1_000, cache_bytes_max: 4_000, chunk_bytes: 512, ..quick() };
    let quiet = below("/", limits);
    let large: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    quiet.file("large.dat", &large);
    for _ in 0..2 {
        assert!(quiet.get("/large.dat").body == large);
    }
    let part = quiet.get_with("/large.dat", &[("range", "bytes=1000-2999")]);
    assert_eq!(part.status, 206);
    assert!(part.body == large[1000..3000]);
    let etag = part.header("etag").to_owned();
    assert_eq!(quiet.get_with("/large.dat", &[("if-none-match", &etag)]).status, 304);
    quiet.file("large.dat", &large[4..]);
    assert_ne!(quiet.get("/large.dat").header("etag"), etag);
    // More small files than fit, each asked for twice: all are right.
    for round in 0..2 {
        for no in 0..20 {
            let (path, text) = (format!("{no}.html"), format!("{no}").repeat(200));
            if round == 0 {
                quiet.file(&path, &text);
            }
            assert_eq!(quiet.get(&format!("/{path}")).text(), text);
            assert!(quiet.door.bytes_in_memory() <= 4_000, "{}", quiet.door.bytes_in_memory());
        }
    }
    assert!(1_000 < quiet.door.bytes_in_memory());
}

#[test]
fn nothing_outside_of_public_is_served() {
    let quiet = site();
    quiet.file("line\nbreak.html", "secret");
    let secret = quiet.public.path().join("secret.html");
    fs::write(&secret, "secret").unwrap();
    quiet.file(".hidden.html", "secret");
    quiet.file("tech/.git/config", "secret");
    let public = quiet.public.path().join("public");
    symlink(&secret, public.join("link.html")).unwrap();
    symlink(quiet.public.path(), public.join("out")).unwrap();
    symlink("loop.html", public.join("loop.html")).unwrap();
    for path in [
        "/../secret.html",
        "/tech/../../secret.html",
        "/%2e%2e/secret.html",
        "/%2E%2E%2Fsecret.html",
        "/..%2fsecret.html",
        "/..%5csecret.html",
        "/..\\secret.html",
        "/%252e%252e/secret.html",
        "/tech/%2e%2e/%2e%2e/secret.html",
        "/./index.html",
        "/tech/./index.html",
        "//index.html",
        "/tech//index.html",
        "/tech%2findex.html",
        "/index.html/",
        "/index.html%00",
        "/index.html%00.css",
        "/%00",
        "/%c0%ae%c0%ae/secret.html",
        "/%ff",
        "/.hidden.html",
        "/tech/.git/config",
        "/link.html",
        "/out/secret.html",
        "/out/",
        "/loop.html",
        "/index.html%0a",
        "/line%0abreak.html",
    ] {
        let answer = quiet.get(path);
        assert!(answer.status == 404, "{path}: {} {}", answer.status, answer.text());
        assert!(!answer.text().contains("secret"), "{path}");
    }
    let long = format!("/{}", "a/".repeat(5_000));
    assert_eq!(quiet.get(&long).status, 404);
    assert_eq!(quiet.get(&format!("/{}", "a".repeat(5_000))).status, 404);
}

#[test]
fn a_link_that_stays_inside_is_followed() {
    let quiet = site();
    symlink("tech", quiet.public.path().join("public/alias")).unwrap();
    assert_eq!(quiet.get("/alias/").text(), "tech");
}

#[test]
fn a_pipe_is_not_opened() {
    let quiet = site();
    let path = quiet.public.path().join("public/pipe.html");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    assert_eq!(quiet.get("/pipe.html").status, 404);
}

#[test]
fn a_site_that_was_never_built_has_a_page_all_the_same() {
    let quiet = site();
    fs::remove_dir_all(quiet.public.path().join("public")).unwrap();
    assert_eq!(quiet.get("/").status, 404);
    fs::create_dir(quiet.public.path().join("public")).unwrap();
    quiet.file("index.html", "built");
    assert_eq!(quiet.get("/").text(), "built");
}

#[test]
fn the_oldest_and_the_newest_times_are_no_trouble() {
    let quiet = site();
    let file = fs::File::options().write(true).open(quiet.public.path().join("public/index.html")).unwrap();
    file.set_modified(UNIX_EPOCH - Duration::from_secs(86_400)).unwrap();
    assert_eq!(quiet.get("/").header("last-modified"), "Thu, 01 Jan 1970 00:00:00 GMT");
    file.set_modified(SystemTime::now() + Duration::from_secs(1 << 33)).unwrap();
    assert_eq!(quiet.get("/").header("last-modified"), "Thu, 01 Jan 2026 00:00:00 GMT");
}

#[test]
fn of_packed_siblings_the_one_that_the_client_likes_best_comes() {
    let quiet = site();
    quiet.file("tech/index.html.gz", "gzip");
    quiet.file("tech/index.html.br", "brotli");
    ["gz", "br"].iter().for_each(|ending| change(&quiet, &format!("tech/index.html.{ending}"), NOW - 86_400));
    for (accept, coding) in [
        ("gzip, deflate, br", "br"),
        ("br;q=0.5, gzip", "gzip"),
        ("*", "br"),
        ("br;q=0, *", "gzip"),
        ("zstd", ""),
        ("", ""),
    ] {
        let answer = quiet.get_with("/tech/", &[("accept-encoding", accept)]);
        assert_eq!(answer.header("content-encoding"), coding, "{accept}");
        assert_eq!(answer.header("vary"), "accept-encoding", "{accept}");
        let body = [("br", "brotli"), ("gzip", "gzip"), ("", "tech")].into_iter().find(|(name, _)| *name == coding);
        assert_eq!(answer.text(), body.unwrap().1, "{accept}");
    }
    // A sibling of another state of the page is none.
    change(&quiet, "tech/index.html.br", NOW - 86_401);
    assert_eq!(quiet.get_with("/tech/", &[("accept-encoding", "gzip, br")]).text(), "gzip");
}

#[test]
fn each_kind_of_file_says_how_long_it_may_be_kept() {
    let site = SiteSettings { cdn_seconds: 3_600, ..SiteSettings::default() };
    let quiet = Quiet::with_limits(Fake { site, ..Fake::default() }, quick());
    quiet.file("tech/thread/1.html", "a thread");
    quiet.file("404.html", "lost");
    quiet.file("assets/style.1f00.css", "a{}");
    for (path, caching) in [
        ("/tech/thread/1.html", "public, max-age=0, s-maxage=3600, stale-while-revalidate=1, stale-if-error=86400"),
        ("/assets/style.1f00.css", "public, max-age=31536000, immutable"),
        ("/tech/thread/2.html", "public, max-age=1"),
        ("/404.html", "public, max-age=1"),
        ("/tech", "no-store"),
        ("/healthz", "no-store"),
        ("/post", "no-store"),
    ] {
        assert_eq!(quiet.get(path).header("cache-control"), caching, "{path}");
    }
}

#[test]
fn a_cdn_may_be_told_to_keep_no_page() {
    let site = SiteSettings { cdn_seconds: 0, ..SiteSettings::default() };
    let quiet = Quiet::with_limits(Fake { site, ..Fake::default() }, quick());
    quiet.file("index.html", "home");
    let caching = "public, max-age=0, s-maxage=0, stale-while-revalidate=0, stale-if-error=86400";
    assert_eq!(quiet.get("/").header("cache-control"), caching);
}
