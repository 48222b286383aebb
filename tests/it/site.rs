//! What a reader sees: a site as text goes in, and a piece of a page comes out.

use super::sandbox::links::dead_links;
use super::sandbox::running::run;
use super::sandbox::{Sandbox, copy_folder, files_below, publish, samples};

/// Checks that a page of the site with these files has each of these texts.
#[track_caller]
fn check_all(site: &str, page: &str, wanted: &[&str]) {
    let site = built(site);
    let text = site.page(page);
    for wanted in wanted {
        assert!(text.contains(wanted), "{page} lacks {wanted:?}:\n{text}");
    }
}

/// Checks that a page of the site with these files has this text.
#[track_caller]
fn check(site: &str, page: &str, wanted: &str) {
    check_all(site, page, &[wanted]);
}

#[track_caller]
fn check_not(site: &str, page: &str, unwanted: &str) {
    let site = built(site);
    let text = site.page(page);
    assert!(!text.contains(unwanted), "{page} has {unwanted:?}:\n{text}");
}

#[track_caller]
fn built(site: &str) -> Sandbox {
    let site = Sandbox::new(site);
    let report = site.build();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    let base_url = site.open().0.shown().read().unwrap().site.settings.base_url.as_str().to_owned();
    assert_eq!(dead_links(&site.path("public"), &base_url), Vec::<String>::new());
    site
}

/// The numbers of the threads on a page, in order, as its links have them.
fn threads_on(site: &Sandbox, page: &str) -> Vec<u64> {
    let text = site.page(page);
    let list = text.split("<main").nth(1).unwrap();
    let numbers = list.split("/thread/").skip(1).map(|rest| rest.split('.').next().unwrap().parse().unwrap());
    let mut threads: Vec<u64> = Vec::new();
    for no in numbers {
        if threads.last() != Some(&no) && !threads.contains(&no) {
            threads.push(no);
        }
    }
    threads
}

/// Checks in which order the threads of `/t/` stand on a page.
#[track_caller]
fn check_order(site: &str, page: &str, wanted: &[u64]) {
    assert_eq!(threads_on(&built(site), page), wanted, "{page}");
}

#[test]
fn a_quote_links_to_the_post_it_names_and_is_listed_there() {
    let site = "
==> content/t/1.md
--- {no: 1}
first
--- {no: 2}
>>1 agreed
--- {no: 3}
>>1 >>1 >>2 me too
";
    check_all(
        site,
        "t/thread/1.html",
        &[
            r##"<a href="#p1" class="quotelink">&gt;&gt;1</a> agreed"##,
            r##"<footer>Replies: <a class="quotelink" href="#p2">&gt;&gt;2</a> <a class="quotelink" href="#p3">&gt;&gt;3</a></footer>"##,
        ],
    );
    // The index is another page, so the link is whole.
    check(site, "t/index.html", r#"<a href="/t/thread/1.html#p1" class="quotelink">&gt;&gt;1</a> agreed"#);
}

#[test]
fn the_first_hundred_quotes_of_a_post_are_links() {
    // Numbers 2 and 3 are quotes in code: they count, since no reader of the source knows what is code.
    let quotes: String = (1..=103).map(|no| format!(">>{no}\n")).collect();
    let site = built(&format!(
        "==> content/t/1.md\n--- {{no: 1}}\n[code]>>2 >>3[/code]\n{quotes}\n==> content/t/98.md\n--- {{no: 98}}\nx\n\
         --- {{no: 99}}\ny\n"
    ));
    let page = site.page("t/thread/1.html");
    assert!(page.contains(r#"<a href="/t/thread/98.html#p98" class="quotelink">&gt;&gt;98</a>"#), "{page}");
    assert!(page.contains(r#"<span class="quotelink">&gt;&gt;99</span>"#), "{page}");
    assert_eq!(page.matches(r#"<span class="deadlink">"#).count(), 96);
    // And no thread is drawn anew for a quote that is no link.
    let (builder, _) = site.open();
    let shown = builder.shown().read().unwrap();
    let (slug, number) = (super::sandbox::slug, super::sandbox::number);
    let summary = shown.site.board(&slug("t")).unwrap().visible(number(1)).unwrap();
    assert_eq!(summary.cross.len(), 97, "{:?}", summary.cross);
    assert!(summary.cross.contains(&(slug("t"), number(98))) && !summary.cross.contains(&(slug("t"), number(99))));
}

#[test]
fn a_post_lists_the_first_hundred_replies_to_it_and_counts_the_others() {
    let thread = |replies: u64| {
        let reply = |no: u64| format!("--- {{no: {no}}}\n>>1 >>1 twice\n");
        format!("==> content/t/1.md\n--- {{no: 1}}\nfirst\n{}", (2..=replies + 1).map(reply).collect::<String>())
    };
    let footer = |replies: u64, path: &str| {
        let page = built(&thread(replies)).page(path);
        let footer = page.split("<footer>Replies:").nth(1).unwrap().split("</footer>").next().unwrap().to_owned();
        (footer.matches("<a class=\"quotelink\"").count(), footer.split("</a>").last().unwrap().to_owned())
    };
    assert_eq!(footer(100, "t/thread/1.html"), (100, String::new()));
    assert_eq!(footer(101, "t/thread/1.html"), (100, " +1".to_owned()));
    assert_eq!(footer(142, "t/thread/1.html"), (100, " +42".to_owned()));
    assert_eq!(footer(142, "t/thread/1-tail.html"), (100, " +42".to_owned()));
}

#[test]
fn quotes_cross_threads_and_boards() {
    let site = "
==> content/t/1.md
--- {no: 1}
first
--- {no: 2}
reply
==> content/t/3.md
--- {no: 3}
>>2 there
==> content/u/1.md
--- {no: 1}
>>>/t/2 and >>>/t/ and >>2 and >>>/nowhere/ and >>>/nowhere/1
";
    check(site, "t/thread/3.html", r#"<a href="/t/thread/1.html#p2" class="quotelink">&gt;&gt;2</a> there"#);
    check_all(
        site,
        "u/thread/1.html",
        &[
            r#"<a href="/t/thread/1.html#p2" class="quotelink">&gt;&gt;&gt;/t/2</a> and "#,
            r#"<a href="/t/index.html" class="quotelink">&gt;&gt;&gt;/t/</a> and "#,
            r#"<span class="deadlink">&gt;&gt;2</span> and "#,
            r#"<span class="deadlink">&gt;&gt;&gt;/nowhere/1</span>"#,
        ],
    );
}

#[test]
fn a_dead_quote_comes_alive_with_its_post_and_dies_with_its_thread() {
    let site = built("==> content/t/1.md\n--- {no: 1}\n>>2 soon\n==> content/u/5.md\n--- {no: 5}\n>>>/t/2 soon\n");
    let dead = r#"<span class="deadlink">"#;
    let quotes = |site: &Sandbox| {
        ["t/thread/1.html", "t/index.html", "u/thread/5.html", "u/index.html"]
            .map(|page| site.page(page).contains(dead))
    };
    let (mut builder, _) = site.open();
    assert_eq!(quotes(&site), [true; 4]);
    site.write("content/t/2.md", "--- {no: 2}\nhere\n");
    builder.take_all(&mut Default::default()).unwrap();
    publish(&mut builder);
    assert_eq!(quotes(&site), [false; 4]);
    assert!(site.page("t/thread/1.html").contains(r#"<a href="/t/thread/2.html#p2" class="quotelink">"#));
    // A tombstone is still there to be linked to, as long as its thread has a page.
    site.write("content/t/2.md", "--- {no: 2, deleted: true}\n--- {no: 3}\nstill here\n");
    builder.take_all(&mut Default::default()).unwrap();
    publish(&mut builder);
    assert_eq!(quotes(&site), [false; 4]);
    site.write("content/t/2.md", "--- {no: 2, deleted: true}\n--- {no: 3, deleted: true}\n");
    builder.take_all(&mut Default::default()).unwrap();
    publish(&mut builder);
    assert_eq!(quotes(&site), [true; 4]);
    assert!(!site.has_page("t/thread/2.html"));
}

#[test]
fn the_index_shows_the_last_replies_and_counts_the_rest() {
    let site = |replies: &str| {
        let mut text =
            format!("==> content/t/board.yaml\nreplies_previewed: {replies}\n==> content/t/1.md\n--- {{no: 1}}\nop\n");
        for no in 2..=7 {
            let deleted = if no == 6 { ", deleted: true" } else { "" };
            text += &format!("--- {{no: {no}{deleted}}}\nreply number {no}.\n");
        }
        text
    };
    check_all(&site("3"), "t/index.html", &["2 posts omitted.", "reply number 4.", "reply number 7.", "5 replies"]);
    check_not(&site("3"), "t/index.html", "reply number 3.");
    check_not(&site("3"), "t/index.html", "Post removed");
    check_all(&site("4"), "t/index.html", &["1 post omitted.", "reply number 3."]);
    check_not(&site("50"), "t/index.html", "omitted");
    check_not(&site("0"), "t/index.html", "reply number");
    check(&site("3"), "t/thread/1.html", r#"<article class="post gone" id="p6"><p>Post removed."#);
}

#[test]
fn a_long_post_is_shown_whole_only_on_its_thread() {
    let long = "words of a long story.\n".repeat(99);
    let site =
        |op: &str, reply: &str| built(&format!("==> content/t/1.md\n--- {{no: 1}}\n{op}\n--- {{no: 2}}\n{reply}\n"));
    let cut = |href: &str| format!(r#"<p class="more"><a class="whole" href="{href}">Read the whole post</a></p>"#);
    let both = site(&format!("{long}\n>>2 THE END"), &format!("{long}\n>>1 THE END OF IT"));
    let (index, thread) = (both.page("t/index.html"), both.page("t/thread/1.html"));
    assert_eq!(thread.matches("THE END").count(), 2);
    assert_eq!(thread.matches("<footer>Replies").count(), 2, "{thread}");
    assert!(!thread.contains("Read the whole post"));
    assert_eq!(index.matches("THE END").count(), 0, "{index}");
    for href in ["/t/thread/1.html#p1", "/t/thread/1.html#p2"] {
        assert!(index.contains(&cut(href)), "{index}");
    }
    assert!(!site(&long, "x").page("t/index.html").contains("Read the whole post"));
    let one_line = "word ".repeat(801);
    assert!(site("x", &one_line).page("t/index.html").contains(&cut("/t/thread/1.html#p2")));
}

/// Threads 1 to 4, a day after another; `more` is added to them by number.
fn four(settings: &str, more: [&str; 4]) -> String {
    let mut text = format!("==> content/t/board.yaml\n{settings}\n");
    for (no, more) in (1..).zip(more) {
        text += &format!("==> content/t/{no}.md\n--- {{no: {no}, at: 2025-01-0{no}{more}}}\nthread\n");
    }
    text
}

#[test]
fn threads_stand_in_the_order_of_their_bumps_sticky_ones_on_top() {
    check_order(&four("", [""; 4]), "t/index.html", &[4, 3, 2, 1]);
    check_order(&four("", [", sticky: true", "", "", ""]), "t/index.html", &[1, 4, 3, 2]);
    check_order(&four("", [", sticky: true", "", ", sticky: true", ""]), "t/index.html", &[3, 1, 4, 2]);
    check_order(&four("", ["", "}\nx\n--- {no: 9, at: 2025-02-01", "", ""]), "t/index.html", &[2, 4, 3, 1]);
    check_order(&four("", ["", "}\nx\n--- {no: 9, at: 2025-02-01", "", ""]), "t/catalog.html", &[2, 4, 3, 1]);
    check_order(&four("", ["", "}\nx\n--- {no: 9, at: 2025-02-01", "", ""]), "index.html", &[2, 4, 3, 1]);
}

#[test]
fn a_sage_a_locked_bump_and_a_reply_beyond_the_limit_do_not_bump() {
    check_order(&four("", ["", "}\nx\n--- {no: 9, at: 2025-02-01, sage: true", "", ""]), "t/index.html", &[4, 3, 2, 1]);
    check_order(
        &four("", ["", ", bumplock: true}\nx\n--- {no: 9, at: 2025-02-01", "", ""]),
        "t/index.html",
        &[4, 3, 2, 1],
    );
    let two = "}\nx\n--- {no: 8, at: 2025-01-02}\nx\n--- {no: 9, at: 2025-02-01";
    check_order(&four("bump_limit: 2", ["", two, "", ""]), "t/index.html", &[2, 4, 3, 1]);
    check_order(&four("bump_limit: 1", ["", two, "", ""]), "t/index.html", &[4, 3, 2, 1]);
    check_order(&four("bump_limit: 0", ["", two, "", ""]), "t/index.html", &[2, 4, 3, 1]);
}

#[test]
fn a_removed_reply_takes_its_bump_along() {
    check_order(
        &four("", ["", "}\nx\n--- {no: 9, at: 2025-02-01, deleted: true", "", ""]),
        "t/index.html",
        &[4, 3, 2, 1],
    );
}

#[test]
fn threads_that_leave_the_window_stand_in_the_archive() {
    let site = built(&four("threads_per_page: 1\nindex_pages: 2", [""; 4]));
    assert_eq!(threads_on(&site, "t/index.html"), [4]);
    assert_eq!(threads_on(&site, "t/2.html"), [3]);
    assert_eq!(threads_on(&site, "t/catalog.html"), [4, 3]);
    assert_eq!(threads_on(&site, "t/archive.html"), [2, 1]);
    assert!(!site.has_page("t/3.html") && site.has_page("t/thread/1.html"));
    let page = site.page("t/2.html");
    assert!(page.contains(r#"<a href="/t/index.html" rel="prev">"#) && !page.contains("rel=\"next\""), "{page}");
}

#[test]
fn an_archived_thread_leaves_the_index_keeps_its_page_and_takes_no_reply() {
    let site = built(&four("", ["", "", "", ", archived: true"]));
    assert_eq!(threads_on(&site, "t/index.html"), [3, 2, 1]);
    assert_eq!(threads_on(&site, "t/archive.html"), [4]);
    assert!(site.page("t/thread/4.html").contains("takes no more replies"));
    assert!(!site.page("t/thread/4.html").contains("name=\"body\""));
    check(&four("", ["", "", "", ", locked: true"]), "t/thread/4.html", "This thread is locked: it takes no replies.");
}

#[test]
fn the_archive_has_parts_by_number() {
    let thread = |no: u64| format!("==> content/t/{no}.md\n--- {{no: {no}, archived: true}}\nthread {no}\n");
    let site = built(&[1, 5_000, 5_001, 12_000].map(thread).concat());
    assert_eq!(threads_on(&site, "t/archive.html"), [12_000]);
    assert_eq!(threads_on(&site, "t/archive-1.html"), [5_000, 1]);
    assert_eq!(threads_on(&site, "t/archive-5001.html"), [5_001]);
    let page = site.page("t/archive.html");
    for wanted in
        ["10001–15000", "<a href=\"/t/archive-5001.html\">5001–10000</a>", "1–5000</a> <span class=\"info\">(2)"]
    {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    assert!(!site.has_page("t/archive-10001.html"));
}

#[test]
fn the_thread_with_the_highest_number_is_archived_like_any_other() {
    let site = built("==> content/t/9007199254740991.md\n--- {no: 9007199254740991, archived: true}\nthe last\n");
    assert_eq!(threads_on(&site, "t/archive.html"), [9_007_199_254_740_991]);
}

#[test]
fn a_thread_of_tombstones_has_no_page_and_stands_in_no_list() {
    let site = built("==> content/t/1.md\n--- {no: 1, deleted: true}\n==> content/t/2.md\n--- {no: 2}\nhere\n");
    assert!(!site.has_page("t/thread/1.html"));
    for page in ["t/index.html", "t/catalog.html", "index.html"] {
        assert_eq!(threads_on(&site, page), [2], "{page}");
    }
    assert!(site.page("index.html").contains("1 thread and 1 post in all."));
    // A thread whose opening post is gone still has its replies.
    let site = built("==> content/t/1.md\n--- {no: 1, subject: x, deleted: true}\n--- {no: 2}\nreply\n");
    let page = site.page("t/thread/1.html");
    assert!(page.contains("<title>Thread 1 - /t/ t - Test site</title>") && page.contains("reply"), "{page}");
}

#[test]
fn everything_stands_below_the_prefix() {
    let site = built(
        "
==> content/site.yaml
title: Prefixed
base_url: https://example.org/boards/
==> content/t/1.md
--- {no: 1}
>>2
==> content/t/2.md
--- {no: 2}
>>>/t/ >>1
",
    );
    for (path, bytes) in files_below(&site.path("public")).iter().filter(|(path, _)| path.ends_with(".html")) {
        let text = String::from_utf8_lossy(bytes);
        for attribute in [" href=\"", " src=\"", " action=\""] {
            for value in text.split(attribute).skip(1).map(|rest| rest.split('"').next().unwrap()) {
                let fine =
                    ["#", "/boards/", "https://example.org/boards/"].iter().any(|start| value.starts_with(start));
                assert!(fine, "{path}: {attribute}{value}");
            }
        }
    }
    let page = site.page("t/thread/1.html");
    assert!(page.contains(r#"<a href="/boards/t/thread/2.html#p2" class="quotelink">"#), "{page}");
    assert!(page.contains(r#"action="/boards/post""#), "{page}");
}

#[test]
fn pages_tell_their_title_and_address_to_those_who_share_them() {
    let site = "
==> content/site.yaml
title: Neji & friends
base_url: https://example.org/
description: A board
==> content/t/board.yaml
title: Talk
description: About <things>
==> content/t/1.md
--- {no: 1, subject: '\"Hello\" <world>'}
the **text**
of the post
";
    check_all(
        site,
        "t/thread/1.html",
        &[
            "<title>&quot;Hello&quot; &lt;world&gt; - /t/ Talk - Neji &amp; friends</title>",
            r#"<meta property="og:title" content="&quot;Hello&quot; &lt;world&gt; - /t/ Talk - Neji &amp; friends">"#,
            r#"<meta property="og:description" content="the text of the post">"#,
            r#"<meta property="og:url" content="https://example.org/t/thread/1.html">"#,
            r#"<link rel="canonical" href="https://example.org/t/thread/1.html">"#,
            r#"<meta property="og:type" content="article">"#,
            r#"<meta property="og:site_name" content="Neji &amp; friends">"#,
        ],
    );
    check_all(site, "t/index.html", &["<title>/t/ Talk - Neji &amp; friends</title>", "About &lt;things&gt;"]);
    check_all(site, "index.html", &["<title>Neji &amp; friends</title>", r#"content="website""#]);
    check(site, "404.html", r#"<meta name="robots" content="noindex">"#);
    check_not(&site.replace("https://example.org/", "/"), "t/index.html", "canonical");
}

#[test]
fn every_page_lists_all_boards_and_marks_its_own() {
    let site = built("==> content/a/1.md\n--- {no: 1}\nx\n==> content/b/1.md\n--- {no: 1, archived: true}\ny\n");
    for (path, bytes) in files_below(&site.path("public")).iter().filter(|(path, _)| path.ends_with(".html")) {
        let text = String::from_utf8_lossy(bytes);
        for board in ["a", "b"] {
            let current = if path.starts_with(&format!("{board}/")) { " aria-current=\"true\"" } else { "" };
            let link = format!("<a href=\"/{board}/index.html\" title=\"{board}\"{current}>/{board}/</a>");
            assert!(text.contains(&link), "{path} lacks {link}");
        }
    }
}

#[test]
fn pages_do_not_grow_with_the_number_of_boards_beyond_fifty() {
    let site = |boards: usize| {
        let board = |nth: usize| format!("==> content/b{nth:03}/board.yaml\ntitle: A board\n");
        let thread = "==> content/b000/1.md\n--- {no: 1}\nx\n";
        built(&((0..boards).map(board).collect::<String>() + thread))
    };
    let (few, many, more) = (site(50), site(51), site(80));
    assert_eq!(few.page("b000/thread/1.html").matches("/index.html\" title=").count(), 51);
    let page = many.page("b000/thread/1.html");
    for wanted in [
        r#"<li><a href="/b000/index.html" title="A board" aria-current="true">/b000/</a></li>"#,
        r#"<li><a href="/index.html">All boards</a></li>"#,
    ] {
        assert!(
            page.contains(wanted) && !few.page("b000/thread/1.html").contains("<li><a href=\"/index.html"),
            "{page}"
        );
    }
    for path in ["b000/thread/1.html", "b000/index.html", "b000/catalog.html", "404.html"] {
        assert_eq!(many.page(path), more.page(path), "{path}");
        assert_eq!(more.page(path).matches("title=\"A board\"").count(), usize::from(path != "404.html"), "{path}");
    }
    assert!((0..80).all(|nth| more.page("index.html").contains(&format!("<a href=\"/b{nth:03}/index.html\">"))));
}

#[test]
fn nothing_private_is_published() {
    let site = Sandbox::new(
        "==> content/t/1.md\n--- {no: 1, id: 01SECRETID}\nhello\n--- {no: 2, deleted: true}\nremoved text\n",
    );
    site.write(".nejiboard/secret", "0123456789abcdefghijklmnopqrstuv");
    site.write("posts-inbox/.waiting.md", "--- {board: t}\nnot yet\n");
    site.build();
    for (path, bytes) in files_below(&site.path("public")) {
        let text = String::from_utf8_lossy(&bytes);
        let root = site.root().to_string_lossy();
        for private in ["01SECRETID", "removed text", "0123456789abcdef", "not yet", ".nejiboard", &root] {
            assert!(!text.contains(private), "{path} has {private}");
        }
    }
}

#[test]
fn an_empty_board_and_a_site_without_boards_are_whole() {
    check_all("==> content/t/board.yaml\ntitle: Empty\n", "t/index.html", &["There is no thread yet."]);
    check("==> content/t/board.yaml\ntitle: Empty\n", "t/archive.html", "Nothing is archived here yet.");
    check("", "index.html", "There is no board yet.");
}

#[test]
fn the_demo_has_no_dead_link() {
    let site = Sandbox::empty();
    copy_folder(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("content"), &site.path("content"));
    let report = site.build();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    assert_eq!(dead_links(&site.path("public"), "/"), Vec::<String>::new());
}

#[test]
fn an_imported_board_has_no_dead_link() {
    let Some(samples) = samples() else { return };
    let site = Sandbox::new("");
    let source = samples.join("threads-4chan-json").to_string_lossy().into_owned();
    let imported = run(site.root(), &["import", "4chan", &source, "--board", "po"]);
    assert!(matches!(imported.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&imported.stderr));
    site.build();
    assert!(!files_below(&site.path("public/po/thread")).is_empty());
    assert_eq!(dead_links(&site.path("public"), "/"), Vec::<String>::new());
}
