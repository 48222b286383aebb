//! Long threads: the page of the last posts beside the whole thread.

use nejiboard::model::PageKey;

use super::sandbox::links::dead_links;
use super::sandbox::{Sandbox, publish};

const WHOLE: &str = "t/thread/1.html";
const TAIL: &str = "t/thread/1-tail.html";

/// A thread of the posts 1 to `last`, each with the text that `body` gives it; without one it is a tombstone.
fn thread(last: u64, body: impl Fn(u64) -> Option<String>) -> String {
    let post = |no: u64| match body(no) {
        Some(body) => format!("--- {{no: {no}}}\n{body}\n"),
        None => format!("--- {{no: {no}, deleted: true}}\n"),
    };
    (1..=last).map(post).collect()
}

fn plain(no: u64) -> Option<String> {
    Some(format!("text of {no}."))
}

fn built(thread: &str) -> Sandbox {
    let site = Sandbox::new("");
    site.write("content/site.yaml", "title: Test site\nbase_url: https://example.org/\nformats: none\n");
    site.write("content/t/1.md", thread);
    assert_eq!(site.build().problems, []);
    assert_eq!(dead_links(&site.path("public"), "https://example.org/"), Vec::<String>::new());
    site
}

#[track_caller]
fn check_all(page: &str, wanted: &[&str]) {
    for wanted in wanted {
        assert!(page.contains(wanted), "{wanted:?} is lacking:\n{page}");
    }
}

#[test]
fn a_long_thread_has_a_page_of_its_last_posts() {
    let site = built(&thread(102, plain));
    let tail = site.page(TAIL);
    let bodies: Vec<u64> = (1..=102).filter(|no| tail.contains(&format!(">text of {no}.<"))).collect();
    assert_eq!(bodies, [1].into_iter().chain(53..=102).collect::<Vec<_>>());
    let places = ["id=\"p1\"", "51 posts omitted. <a href=\"/t/thread/1.html\">", "id=\"p53\"", "id=\"p102\"", "<form"];
    assert!(places.map(|place| tail.find(place).unwrap()).is_sorted(), "{tail}");
    check_all(
        &tail,
        &[
            "<title>Last posts of text of 1. - /t/ t - Test site</title>",
            r#"<link rel="canonical" href="https://example.org/t/thread/1.html">"#,
            r#"<a class="no" href="/t/thread/1.html#p102">No. 102</a>"#,
            r#"<input type="hidden" name="thread" value="1">"#,
            r#"<meta property="og:type" content="article">"#,
        ],
    );
    check_all(&site.page(WHOLE), &[r#"<a href="/t/thread/1-tail.html">Last 50 posts</a>"#, "text of 52."]);
    check_all(&site.page("t/index.html"), &[r#"<a href="/t/thread/1-tail.html" aria-describedby="t1">Last 50</a>"#]);
    check_all(&site.page("t/catalog.html"), &[r#"<a href="/t/thread/1-tail.html">Last 50</a>"#]);
}

#[test]
fn a_thread_of_a_hundred_replies_has_none() {
    let site = built(&thread(101, plain));
    assert!(!site.has_page(TAIL));
    for page in [WHOLE, "t/index.html", "t/catalog.html"] {
        assert!(!site.page(page).contains("-tail.html"), "{page}");
    }
}

#[test]
fn tombstones_make_a_thread_long_but_are_not_on_its_tail() {
    // The last 20 are gone, and so is the opening post, which still opens the page.
    let site = built(&thread(120, |no| plain(no).filter(|_| 1 < no && no <= 100)));
    let tail = site.page(TAIL);
    let shown: Vec<u64> = (1..=120).filter(|no| tail.contains(&format!(" id=\"p{no}\""))).collect();
    assert_eq!(shown, [1].into_iter().chain(51..=100).collect::<Vec<_>>());
    assert_eq!(tail.matches("Post removed").count(), 1);
    // Where fewer posts are left than a tail holds, the whole is short enough.
    assert!(!built(&thread(120, |no| plain(no).filter(|_| no <= 50))).has_page(TAIL));
    assert!(built(&thread(120, |no| plain(no).filter(|_| no <= 51))).has_page(TAIL));
}

#[test]
fn quotes_on_the_tail_stay_there_if_they_can() {
    let body = |no: u64| match no {
        1 => Some(">>102 >>3".to_owned()),
        3 => Some(">>102".to_owned()),
        102 => Some(">>1 >>3 >>60\n>>>/t/101 >>>/t/4 href=\"#p4".to_owned()),
        _ => plain(no),
    };
    let tail = built(&thread(102, body)).page(TAIL);
    let link = |href: &str, text: &str| format!(r#"<a href="{href}" class="quotelink">{text}</a>"#);
    check_all(
        &tail,
        &[
            &link("#p1", "&gt;&gt;1"),
            &link("/t/thread/1.html#p3", "&gt;&gt;3"),
            &link("#p60", "&gt;&gt;60"),
            &link("#p101", "&gt;&gt;&gt;/t/101"),
            &link("/t/thread/1.html#p4", "&gt;&gt;&gt;/t/4"),
            "href=&quot;#p4",
            // The backlinks: 102 is named by the opening post and by 3, which is not here.
            r##"Replies: <a class="quotelink" href="#p1">&gt;&gt;1</a> <a class="quotelink" href="/t/thread/1.html#p3">"##,
        ],
    );
}

#[test]
fn the_tail_comes_before_what_links_to_it_and_goes_after() {
    let site = built(&thread(101, plain));
    let (mut builder, _) = site.open();
    let mut change = |text: String| {
        site.write("content/t/1.md", text);
        builder.take_all(&mut Default::default()).unwrap();
        publish(&mut builder)
    };
    // Something stands where the tail would be written: nothing links to it until it is there.
    std::fs::create_dir_all(site.path("public/t/thread/1-tail.html/x")).unwrap();
    let report = change(thread(102, plain));
    assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
    for page in [WHOLE, "t/index.html", "t/catalog.html"] {
        assert!(!site.page(page).contains("-tail.html"), "{page}");
    }
    std::fs::remove_dir_all(site.path("public/t/thread/1-tail.html")).unwrap();
    let written: Vec<String> = change(thread(102, plain)).written.iter().map(PageKey::path).collect();
    assert!(written.iter().any(|path| path == TAIL) && written.iter().any(|path| path == WHOLE), "{written:?}");
    // A reply far from the last ones of the index is still one more post on the tail.
    let written = change(thread(103, plain)).written;
    assert!(written.contains(&PageKey::of_path(TAIL).unwrap()), "{written:?}");
    assert_eq!(change(thread(101, plain)).removed, [TAIL]);
    assert!(!site.page(WHOLE).contains("-tail.html"));
}

/// Each links to the other, and both are new.
#[test]
fn a_new_thread_and_its_tail_come_together_or_not_at_all() {
    for (obstacle, other) in [(TAIL, WHOLE), (WHOLE, TAIL)] {
        let site = Sandbox::new("\n==> content/t/500.md\n--- {no: 500}\nanother thread\n");
        site.build();
        let (mut builder, _) = site.open();
        let dead = || dead_links(&site.path("public"), "/");
        std::fs::create_dir_all(site.path(&format!("public/{obstacle}/x"))).unwrap();
        site.write("content/t/1.md", thread(102, plain));
        builder.take_all(&mut Default::default()).unwrap();
        for _ in 0..2 {
            let report = publish(&mut builder);
            assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
            assert!(!site.has_page(other), "{other} came without {obstacle}");
            assert!(!report.written.iter().any(|page| page.path() == other), "{:?}", report.written);
            assert_eq!(dead(), Vec::<String>::new());
        }
        std::fs::remove_dir_all(site.path(&format!("public/{obstacle}"))).unwrap();
        assert_eq!(publish(&mut builder).problems, []);
        check_all(&site.page(WHOLE), &["-tail.html"]);
        check_all(&site.page(TAIL), &["text of 102."]);
        assert_eq!(dead(), Vec::<String>::new());
    }
}

#[test]
fn a_name_of_a_tail_is_told_from_that_of_a_thread() {
    for path in [TAIL, WHOLE] {
        assert_eq!(PageKey::of_path(path).unwrap().path(), path);
    }
    for path in ["t/thread/-tail.html", "t/thread/1-tail-tail.html", "t/thread/01-tail.html", "t/1-tail.html"] {
        assert_eq!(PageKey::of_path(path), None, "{path}");
    }
}
