//! Atom, the map for search engines and what robots are told, held against their rules.

mod xml;

use std::collections::BTreeSet;

use serde_json::json;

use super::sandbox::{Sandbox, files_below, publish};
use xml::{Element, parse};

const SETTINGS: &str = "title: Test site\nbase_url: https://example.org:8443/x/\n";

/// A site with an origin, below a path.
fn built(site: &str) -> Sandbox {
    let sandbox = Sandbox::empty();
    sandbox.write("content/site.yaml", SETTINGS);
    sandbox.write_all(site);
    let report = sandbox.build();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    sandbox
}

/// A feed, held against RFC 4287.
#[track_caller]
fn feed(site: &Sandbox, path: &str) -> Element {
    let feed = parse(&site.page(path)).unwrap_or_else(|error| panic!("{path}: {error}\n{}", site.page(path)));
    assert_eq!((feed.name.as_str(), feed.attribute("xmlns")), ("feed", "http://www.w3.org/2005/Atom"), "{path}");
    assert_eq!(feed.attribute("xml:lang"), "en", "{path}");
    for once in ["id", "title", "updated", "generator"] {
        assert_eq!(feed.all(once).count(), 1, "{path}: {once}");
    }
    let links: Vec<(&str, &str)> =
        feed.all("link").map(|link| (link.attribute("rel"), link.attribute("type"))).collect();
    assert_eq!(links, [("self", "application/atom+xml"), ("alternate", "text/html")], "{path}");
    let own = format!("https://example.org:8443/x/{path}");
    assert_eq!(feed.all("link").next().unwrap().attribute("href"), own);
    let mut ids = BTreeSet::from([feed.text("id")]);
    for element in [&feed].into_iter().chain(feed.all("entry")) {
        assert!(element.text("id").starts_with("tag:example.org,2026:"), "{path}: {}", element.text("id"));
        for time in element.all("updated").chain(element.all("published")) {
            let time = time.content();
            let form = time.replace(|c: char| c.is_ascii_digit(), "9");
            assert_eq!(form, "9999-99-99T99:99:99Z", "{path}: {time}");
        }
        for link in element.all("link") {
            assert!(link.attribute("href").starts_with("https://example.org:8443/x/"), "{path}: {link:?}");
        }
    }
    for entry in feed.all("entry") {
        assert!(ids.insert(entry.text("id")), "{path}: {} stands there twice", entry.text("id"));
        for once in ["title", "published", "updated", "author", "link", "content"] {
            assert_eq!(entry.all(once).count(), 1, "{path}: {once}");
        }
        assert!(!entry.all("author").next().unwrap().text("name").is_empty(), "{path}");
        let content = entry.all("content").next().unwrap();
        assert_eq!(content.attribute("type"), "html", "{path}");
        for link in content.content().split(" href=\"").skip(1) {
            assert!(link.starts_with("https://") || link.starts_with("http://"), "{path}: {link}");
        }
    }
    feed
}

fn ids(feed: &Element) -> Vec<String> {
    feed.all("entry").map(|entry| entry.text("id").replace("tag:example.org,2026:", "")).collect()
}

#[test]
fn a_thread_tells_of_its_newest_posts() {
    let site = built(
        "
==> content/t/board.yaml
title: Talk & <more>
==> content/t/1.md
--- {no: 1, at: 2025-03-02T10:00:00Z, name: Neji, trip: '!t', subject: 'We <moved> & so'}
see >>2 and >>>/t/ and https://example.com/?a=1&b=2
--- {no: 2, at: 2025-03-02T11:00:00Z, subject: Of its own}
**yes** >>1
--- {no: 3, at: 2025-03-02T12:00:00Z, deleted: true}

--- {no: 4, at: 2025-03-02T13:00:00Z}
>green
",
    );
    let feed = feed(&site, "t/thread/1.xml");
    assert_eq!(feed.text("title"), "We <moved> & so");
    assert_eq!(feed.text("id"), "tag:example.org,2026:t/thread/1");
    assert_eq!(feed.text("updated"), "2025-03-02T13:00:00Z");
    assert_eq!(ids(&feed), ["t/4", "t/2", "t/1"]);
    let told = |at: usize, element: &str| feed.all("entry").nth(at).unwrap().text(element);
    assert_eq!([0, 1, 2].map(|at| told(at, "title")), ["No. 4", "Of its own", "We <moved> & so"]);
    assert_eq!([0, 1, 2].map(|at| told(at, "published")), [13, 11, 10].map(|hour| format!("2025-03-02T{hour}:00:00Z")));
    let author = |at: usize| feed.all("entry").nth(at).unwrap().all("author").next().unwrap().text("name");
    assert_eq!([0, 1, 2].map(author), ["Anonymous", "Anonymous", "Neji !t"]);
    let link = |at: usize| feed.all("entry").nth(at).unwrap().all("link").next().unwrap().attribute("href").to_owned();
    assert_eq!(link(0), "https://example.org:8443/x/t/thread/1.html#p4");
    let thread = "https://example.org:8443/x/t/thread/1.html";
    assert_eq!(
        told(2, "content"),
        format!(
            "see <a href=\"{thread}#p2\" class=\"quotelink\">&gt;&gt;2</a> and \
             <a href=\"https://example.org:8443/x/t/index.html\" class=\"quotelink\">&gt;&gt;&gt;/t/</a> and \
             <a href=\"https://example.com/?a=1&amp;b=2\" rel=\"nofollow ugc noopener noreferrer\">\
             https://example.com/?a=1&amp;b=2</a>"
        )
    );
    assert!(site.page("t/thread/1.html").contains(r#"type="application/atom+xml""#));
}

#[test]
fn a_thread_of_many_posts_tells_of_the_last_fifty_that_are_left() {
    let post = |no: u64| match no {
        60 => "--- {no: 60, deleted: true}\n".to_owned(),
        no => format!("--- {{no: {no}, at: 2025-03-02}}\nx\n"),
    };
    let site = built(&format!("==> content/t/1.md\n{}", (1..=80).map(post).collect::<String>()));
    let wanted: Vec<String> = (30..=80).rev().filter(|no| *no != 60).map(|no| format!("t/{no}")).collect();
    assert_eq!(ids(&feed(&site, "t/thread/1.xml")), wanted);
}

#[test]
fn boards_and_the_site_tell_of_their_newest_threads() {
    let thread = |board: &str, no: u64, hour: u64| {
        format!(
            "==> content/{board}/{no}.md\n--- {{no: {no}, at: 2025-03-{:02}T{:02}:00:00Z}}\ntext\n",
            1 + hour / 24,
            hour % 24
        )
    };
    let many = (1..=30).map(|no| thread("a", no, no)).collect::<String>();
    let few = thread("b", 1, 28) + &thread("b", 2, 40) + "--- {no: 3, at: 2025-04-01}\na bump is no new thread\n";
    let gone =
        "==> content/a/31.md\n--- {no: 31, at: 2025-03-09, deleted: true}\n\n--- {no: 32, at: 2025-03-09}\nleft\n";
    let site = built(&[&many, &few, gone].concat());
    let board = feed(&site, "a/feed.xml");
    let newest = |from: u64| (from..=30).rev().map(|no| format!("a/{no}"));
    // The newest one takes one of the 25 places, though its opening post was removed and has nothing to tell.
    assert_eq!(ids(&board), newest(7).collect::<Vec<_>>());
    assert_eq!(board.text("updated"), "2025-03-09T00:00:00Z");
    let whole = feed(&site, "feed.xml");
    assert_eq!(ids(&whole)[..5], ["b/2", "a/30", "a/29", "a/28", "b/1"]);
    assert_eq!(whole.text("title"), "Test site");
}

#[test]
fn nothing_in_a_text_can_leave_it() {
    let nasty = "]]> ]]&gt; <![CDATA[ --> \"'&amp;<b onx=1> &#0; \u{1}\u{8}\u{B}\u{1F}\u{FFFE}\u{FFFF} \u{2028} 🦀 href=\"#p1\"";
    let header = json!({ "no": 1, "at": "2025-03-02T00:00:00Z", "name": nasty, "subject": nasty, "trip": nasty });
    let site = built("==> content/t/board.yaml\ntitle: ']]> & <b>'\ndescription: '<x> \"&'\n");
    let bodies = [nasty, "[aa]\n ]]>\n & <\n[/aa]", "```\n]]>\n```", "||]]>||", "`]]>`", "- ]]>\n- \u{1}"];
    let replies: String = bodies.iter().zip(2..).map(|(body, no)| format!("--- {{no: {no}}}\n{body}\n\n")).collect();
    site.write("content/t/1.md", format!("--- {header}\n{nasty}\n\n{replies}"));
    site.build();
    for path in ["feed.xml", "t/feed.xml", "t/thread/1.xml"] {
        let feed = feed(&site, path);
        let op = feed.all("entry").last().unwrap();
        // What XML cannot say is left out, and all else is there.
        let sayable = nasty.replace(['\u{1}', '\u{8}', '\u{B}', '\u{1F}', '\u{FFFE}', '\u{FFFF}'], "");
        // A title is one line.
        assert!(op.text("title").split_whitespace().eq(sayable.split_whitespace()), "{path}: {op:?}");
        assert_eq!(op.all("author").next().unwrap().text("name"), format!("{sayable} {sayable}"), "{path}");
        assert!(op.text("content").starts_with("]]&gt; ]]&amp;gt; &lt;![CDATA[ --&gt;"), "{path}: {op:?}");
        assert!(op.text("content").ends_with("href=&quot;#p1&quot;"), "{path}: {op:?}");
    }
    assert_eq!(feed(&site, "t/feed.xml").text("title"), "/t/ ]]> & <b> - Test site");
    assert_eq!(feed(&site, "t/feed.xml").text("subtitle"), "<x> \"&");
    assert_eq!(ids(&feed(&site, "t/thread/1.xml")).len(), 7);
}

#[test]
fn times_that_are_not_known_are_times_all_the_same() {
    let site = built("==> content/t/1.md\n--- {no: 1}\nx\n==> content/u/1.md\n--- {no: 1, at: 0000-01-01}\ny\n");
    for (path, wanted) in [("t/feed.xml", "1970-01-01T00:00:00Z"), ("u/thread/1.xml", "0000-01-01T00:00:00Z")] {
        assert_eq!(feed(&site, path).text("updated"), wanted, "{path}");
    }
    // A board without threads has a feed, which somebody may follow from the first day.
    let site = built("==> content/t/board.yaml\ntitle: Empty\n");
    assert_eq!(ids(&feed(&site, "t/feed.xml")), [""; 0]);
    assert_eq!(ids(&feed(&site, "feed.xml")), [""; 0]);
}

#[test]
fn ids_outlive_the_scheme_and_the_path() {
    let text = "==> content/t/1.md\n--- {no: 1, at: 2025-03-02}\nx\n";
    let of = |base_url: &str| {
        let site = Sandbox::new(text);
        site.write("content/site.yaml", format!("title: Test site\nbase_url: {base_url}\n"));
        site.build();
        parse(&site.page("t/thread/1.xml")).unwrap().all("entry").next().unwrap().text("id")
    };
    for base_url in ["http://example.org/", "https://example.org/", "https://example.org:8443/a/b/"] {
        assert_eq!(of(base_url), "tag:example.org,2026:t/1", "{base_url}");
    }
}

#[test]
fn feeds_need_to_know_where_the_site_stands() {
    let site = Sandbox::new("==> content/t/1.md\n--- {no: 1}\nx\n");
    site.write("content/site.yaml", "title: Test site\nbase_url: /boards/\n");
    site.build();
    let xml =
        |site: &Sandbox| files_below(&site.path("public")).into_keys().filter(|path| path.ends_with(".xml")).count();
    assert_eq!(xml(&site), 0);
    assert!(!site.page("t/index.html").contains("atom+xml"));
    site.write("content/site.yaml", SETTINGS);
    site.build();
    assert_eq!(xml(&site), 5);
}

#[test]
fn a_reply_changes_the_feed_of_its_thread_alone() {
    let site =
        built("==> content/t/1.md\n--- {no: 1, at: 2025-03-02}\nfirst\n==> content/t/2.md\n--- {no: 2}\nother\n");
    let before = files_below(&site.path("public"));
    let (mut builder, _) = site.open();
    site.write("content/t/1.md", site.read("content/t/1.md") + "\n--- {no: 3, at: 2025-03-03}\nreply\n");
    builder.take_all(&mut Default::default()).unwrap();
    publish(&mut builder);
    let after = files_below(&site.path("public"));
    let changed: Vec<&String> =
        after.keys().filter(|path| path.ends_with("xml") && after.get(*path) != before.get(*path)).collect();
    assert_eq!(changed, ["t/sitemap-1.xml", "t/thread/1.xml"]);
}

#[test]
fn the_map_is_a_list_of_parts_of_five_thousand_numbers() {
    let thread = |board: &str, no: u64, at: &str| format!("==> content/{board}/{no}.md\n--- {{no: {no}{at}}}\nx\n");
    let site = built(
        &[
            thread("a", 1, ", at: 2025-03-02T10:00:00Z"),
            thread("a", 5_000, ""),
            thread("a", 5_001, ", at: 1960-01-01"),
            thread("a", 15_001, ", at: 2025-03-02, archived: true, changed: 2025-03-04"),
            thread("b", 7_000, ", at: 2025-03-02"),
            "==> content/b/7001.md\n--- {no: 7001, deleted: true}\n==> content/c/board.yaml\n".to_owned(),
        ]
        .concat(),
    );
    let list = parse(&site.page("sitemap.xml")).unwrap();
    assert_eq!((list.name.as_str(), list.attribute("xmlns")), ("sitemapindex", MAPS));
    let parts: Vec<String> = list.all("sitemap").map(|part| part.text("loc").replace(BASE, "")).collect();
    assert_eq!(parts, ["a/sitemap-1.xml", "a/sitemap-5001.xml", "a/sitemap-15001.xml", "b/sitemap-5001.xml"]);
    let part = |path: &str| -> Vec<(String, String)> {
        let part = parse(&site.page(path)).unwrap();
        assert_eq!((part.name.as_str(), part.attribute("xmlns")), ("urlset", MAPS));
        part.all("url").map(|url| (url.text("loc").replace(BASE, ""), url.text("lastmod"))).collect()
    };
    let wanted =
        |list: &[(&str, &str)]| list.iter().map(|(at, time)| (at.to_string(), time.to_string())).collect::<Vec<_>>();
    let threads: Vec<Vec<(String, String)>> =
        parts.iter().map(|path| part(path).into_iter().filter(|(at, _)| at.contains("/thread/")).collect()).collect();
    assert_eq!(threads[0], wanted(&[("a/thread/1.html", "2025-03-02T10:00:00Z"), ("a/thread/5000.html", "")]));
    // A time before 1970 is none that search engines know.
    assert_eq!(threads[1], wanted(&[("a/thread/5001.html", "")]));
    assert_eq!(threads[2], wanted(&[("a/thread/15001.html", "2025-03-04T00:00:00Z")]));
    assert_eq!(threads[3], wanted(&[("b/thread/7000.html", "2025-03-02T00:00:00Z")]));
    // Each page stands there once, and is there.
    let all: Vec<String> = parts.iter().flat_map(|path| part(path)).map(|(at, _)| at).collect();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "{all:?}");
    assert!(all.iter().all(|path| site.has_page(path)), "{all:?}");
    assert!(all.contains(&"a/index.html".to_owned()) && all.contains(&"b/index.html".to_owned()), "{all:?}");
}

const BASE: &str = "https://example.org:8443/x/";
const MAPS: &str = "http://www.sitemaps.org/schemas/sitemap/0.9";

#[test]
fn a_part_of_the_map_comes_and_goes_with_its_threads() {
    let site = built("==> content/a/1.md\n--- {no: 1, at: 2025-03-02}\nx\n");
    let (mut builder, _) = site.open();
    let mut change = |change: &dyn Fn()| {
        change();
        builder.take_all(&mut Default::default()).unwrap();
        publish(&mut builder);
    };
    change(&|| site.write("content/a/5001.md", "--- {no: 5001, at: 2025-03-03}\ny\n"));
    assert!(site.has_page("a/sitemap-5001.xml") && site.page("sitemap.xml").contains("a/sitemap-5001.xml"));
    change(&|| site.remove("content/a/1.md"));
    assert!(!site.has_page("a/sitemap-1.xml") && !site.page("sitemap.xml").contains("a/sitemap-1.xml"));
    assert!(site.page("a/sitemap-5001.xml").contains("a/index.html"), "the board is still on the map");
    change(&|| site.write("content/a/5001.md", "--- {no: 5001, deleted: true}\n"));
    assert!(!site.has_page("a/sitemap-5001.xml"));
    assert_eq!(parse(&site.page("sitemap.xml")).unwrap().all("sitemap").count(), 0);
}

#[test]
fn robots_are_kept_from_the_pages_of_staff_and_led_to_the_map() {
    for (base_url, wanted) in [
        ("/", "User-agent: *\nDisallow: /mod/\n"),
        ("/boards/", "User-agent: *\nDisallow: /boards/mod/\n"),
        ("https://example.org/", "User-agent: *\nDisallow: /mod/\n\nSitemap: https://example.org/sitemap.xml\n"),
        ("https://example.org/x/", "User-agent: *\nDisallow: /x/mod/\n\nSitemap: https://example.org/x/sitemap.xml\n"),
    ] {
        let site = Sandbox::empty();
        site.write("content/site.yaml", format!("title: Test site\nbase_url: {base_url}\nformats: none\n"));
        site.build();
        assert_eq!(site.page("robots.txt"), wanted, "{base_url}");
        // The map is no format: it tells search engines of pages, and needs nothing but to know where they stand.
        assert_eq!(site.has_page("sitemap.xml"), wanted.contains("Sitemap"), "{base_url}");
    }
}
