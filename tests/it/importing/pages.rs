//! Boards of which only the pages were saved.

use super::{import, thread};
use crate::sandbox::Sandbox;

/// A thread page as vichan writes it.
const VICHAN: &str = r##"<!doctype html><html><head><meta charset="utf-8"><title>/tech/ - Screws</title>
<script type="text/javascript">var active_page = "thread", board_name = "tech";</script></head>
<body class="8chan vichan is-not-moderator active-thread" data-stylesheet="default">
<header><h1>/tech/ - Screws &amp; Nuts</h1><div class="subtitle">turn it</div></header>
<form name="postcontrols" action="/post.php" method="post"><input type="hidden" name="board" value="tech">
<div class="thread" id="thread_120" data-board="tech"><a id="120" class="post_anchor"></a>
<div class="files"><div class="file"><p class="fileinfo">File: <a href="/tech/src/1.png">1.png</a> <span class="unimportant">(1 KB, <span class="postfilename">name.png</span>)</span></p><a href="/tech/src/1.png" target="_blank"><img class="post-image" src="/tech/thumb/1.png" alt="" /></a></div></div>
<div class="post op" id="op_120"><p class="intro"><input type="checkbox" class="delete" name="delete_120" id="delete_120" /><label for="delete_120"><span class="subject">Left &amp; right</span> <a class="email" href="mailto:me@example.org"><span class="name">Neji</span></a> <span class="trip">!ozOtJW9BFA</span> <span class="capcode">## Mod</span> <time datetime="2016-02-03T04:05:06Z">02/03/16 (Wed) 04:05:06</time> <span class="poster_id">ab12</span></label>&nbsp;<a class="post_no" id="post_no_120" onclick="highlightReply(120)" href="/tech/res/120.html#120">No.</a><a class="post_no" onclick="citeReply(120)" href="/tech/res/120.html#q120">120</a><i class="fa fa-thumb-tack"></i> <i class="fa fa-lock"></i></p>
<div class="body"><p class="body-line ltr ">Which way?</p><p class="body-line ltr quote">&gt;left</p><p class="body-line empty "></p><p class="body-line ltr "><strong>really</strong> <em>now</em> <span class="spoiler">hidden</span></p></div></div>
<div class="post reply" id="reply_123"><p class="intro"><a id="123" class="post_anchor"></a><input type="checkbox" class="delete" name="delete_123" id="delete_123" /><label for="delete_123"><a class="email" href="mailto:sage"><span class="name">Anonymous</span></a> <img class="flag flag-jp" src="/static/blank.gif" alt="Japan" title="Japan"> <time datetime="2016-02-03T05:05:06+01:00">02/03/16 (Wed) 05:05:06</time></label>&nbsp;<a class="post_no" href="/tech/res/120.html#123">No.</a><a class="post_no" href="/tech/res/120.html#q123">123</a></p>
<div class="files"><div class="file"><p class="fileinfo">File: x</p></div><div class="file"><p class="fileinfo">File: y</p></div></div>
<div class="body"><p class="body-line ltr "><a onclick="highlightReply('120', event);" href="/tech/res/120.html#120">&gt;&gt;120</a></p><p class="body-line ltr ">2 * 3 &lt; <a href="http://a.org/b" target="_blank" rel="nofollow">http://a.org/b</a></p><div class="nested">in a box</div></div></div><br/>
</div></form></body></html>
"##;

/// A thread page as 4chan writes it.
const FOURCHAN: &str = r##"<!DOCTYPE html><html><head><meta charset="utf-8"></head><body class="is_thread board_po">
<div class="boardBanner"><div class="boardTitle">/po/ - Papercraft &amp; Origami</div></div>
<div class="board"><div class="thread" id="t570368"><div class="postContainer opContainer" id="pc570368"><div id="p570368" class="post op">
<div class="postInfoM mobile" id="pim570368"> <span class="nameBlock"><span class="name">Twice</span><br><span class="subject">twice</span> </span><span class="dateTime postNum" data-utc="1">Never</span></div>
<div class="file" id="f570368"><div class="fileText" id="fT570368">File: <a href="//i.4cdn.org/po/1.jpg">a.jpg</a> (1 KB, 1x1)</div><a class="fileThumb" href="//i.4cdn.org/po/1.jpg"><img src="//i.4cdn.org/po/1s.jpg" alt="1 KB"></a></div>
<div class="postInfo desktop" id="pi570368"><input type="checkbox" name="570368" value="delete"> <span class="subject">Welcome</span> <span class="nameBlock capcodeMod"><span class="name">Anonymous</span> <span class="postertrip">!!abc</span> <strong class="capcode hand id_mod" title="Highlight posts by Moderators">## Mod</strong></span> <span class="dateTime" data-utc="1546294897">12/31/18(Mon)17:21:37</span> <span class="postNum desktop"><a href="#p570368" title="Link to this post">No.</a><a href="javascript:quote('570368');">570368</a> <img src="//s.4cdn.org/image/sticky.gif" alt="Sticky" title="Sticky" class="stickyIcon retina"> <img src="//s.4cdn.org/image/closed.gif" alt="Closed" title="Closed" class="closedIcon retina"></span></div>
<blockquote class="postMessage" id="m570368">Fold.<br><span class="quote">&gt;paper</span></blockquote></div></div>
<div class="postContainer replyContainer" id="pc570370"><div class="sideArrows" id="sa570370">&gt;&gt;</div><div id="p570370" class="post reply">
<div class="postInfo desktop" id="pi570370"><span class="nameBlock"><a href="mailto:sage" class="useremail"><span class="name">Bo</span></a> </span> <span class="dateTime" data-utc="1546294898">12/31/18(Mon)17:21:38</span> <span class="postNum desktop"><a href="#p570370">No.</a></span></div>
<blockquote class="postMessage" id="m570370"><a href="#p570368" class="quotelink">&gt;&gt;570368</a><br>why <s>not</s></blockquote></div></div>
</div></div></body></html>
"##;

#[test]
fn pages_of_vichan_become_threads() {
    let site = Sandbox::new("");
    site.write("saved/tech/res/120.html", VICHAN);
    site.write("saved/tech/res/120+50.html", VICHAN);
    site.write("saved/tech/index.html", "<div class=\"post\" id=\"op_120\"></div>");
    site.write("saved/tech/src/1.png", "x");
    let told = import(&site, &["vichan", "saved"]);
    told.is_fine();
    assert_eq!(
        thread(&site, "tech/120"),
        r#"--- {"no": 120, "at": "2016-02-03T04:05:06Z", "name": "Neji", "trip": "!ozOtJW9BFA", "poster_id": "ab12", "capcode": "Mod", "subject": "Left & right", "sticky": true, "locked": true}
Which way?
>left

**really** *now* [spoiler]hidden[/spoiler]

--- {"no": 123, "at": "2016-02-03T04:05:06Z", "sage": true}
>>120
2 * 3 < http://a.org/b
in a box
"#
    );
    assert!(site.read("content/tech/board.yaml").contains("title: \"Screws & Nuts\"\n"));
    let lost = [("attachments", 3), ("e-mail addresses", 1), ("flags", 1)];
    lost.iter().for_each(|(kind, count)| assert_eq!(told.lost(kind), *count, "{kind}: {}", told.summary));
    assert_eq!(told.count("files_skipped"), 3, "{}", told.report);
    assert_eq!(
        site.read("redirects.txt"),
        "/tech/res/120.html /tech/thread/120.html 301\n/tech/res/120+50.html /tech/thread/120.html 301\n"
    );
}

#[test]
fn pages_of_4chan_become_threads() {
    let site = Sandbox::new("");
    site.write("boards.4chan.org/po/thread/570368", FOURCHAN);
    site.write("boards.4chan.org/po/thread/570368-tail.json", "{}");
    let told = import(&site, &["4chan", "boards.4chan.org"]);
    told.is_fine();
    assert_eq!(
        thread(&site, "po/570368"),
        r#"--- {"no": 570368, "at": "2018-12-31T22:21:37Z", "trip": "!!abc", "capcode": "Mod", "subject": "Welcome", "sticky": true, "locked": true}
Fold.
>paper

--- {"no": 570370, "at": "2018-12-31T22:21:38Z", "name": "Bo", "sage": true}
>>570368
why [spoiler]not[/spoiler]
"#
    );
    assert!(site.read("content/po/board.yaml").contains("title: \"Papercraft & Origami\"\n"));
    assert_eq!(told.lost("attachments"), 1);
    assert!(site.read("redirects.txt").starts_with("/po/thread/570368 /po/thread/570368.html 301\n"));
}

#[test]
fn the_page_of_a_thread_that_is_there_as_json_is_passed_over() {
    let site = Sandbox::new("");
    site.write("in/tech/res/120.html", VICHAN);
    site.write("in/tech/res/120.json", r#"{"posts":[{"no":120,"resto":0,"time":5,"com":"from the API"}]}"#);
    assert_eq!(import(&site, &["vichan", "in"]).is_fine().count("posts"), 1);
    assert!(thread(&site, "tech/120").contains("from the API"));
}

#[test]
fn a_page_that_ends_in_the_middle_gives_what_it_has_and_is_told_with_its_place() {
    let site = Sandbox::new("");
    let cases = [
        (
            "2 * 3 &lt;",
            "120.html:12:1: the page ends in the middle of post `123`, which begins here; what is there is kept",
        ),
        ("</div><br/>\n</div></form>", ": the page ends before its `</html>`; posts may be missing"),
        ("<time datetime=\"2016-02-03T05", ": the page ends before its `</html>`"),
    ];
    for (cut, told_as) in cases {
        let end = VICHAN.find(cut).unwrap();
        site.write("in/tech/res/120.html", &VICHAN[..end]);
        let _ = std::fs::remove_file(site.path("content/tech/120.md"));
        let told = import(&site, &["vichan", "in"]);
        assert_eq!((told.code, told.count("posts")), (1, 2), "{}", told.err);
        assert!(told.err.contains(told_as), "{cut}: {}", told.err);
        assert!(thread(&site, "tech/120").contains("[spoiler]hidden[/spoiler]"));
    }
}

#[test]
fn what_is_no_page_of_a_thread_is_told_if_it_was_asked_for() {
    let site = Sandbox::new("");
    let cases: [(&str, &[u8], &str); 4] = [
        (
            "110.html",
            b"<html><body><div class=\"comment\">a forum</div></body></html>",
            "110.html: not a thread: there is no post",
        ),
        ("empty.html", b"", "empty.html: not a thread: there is no post"),
        (
            "sjis.html",
            b"<html>\n<div class=\"post op\" id=\"op_1\">\x93\xFA\x96{</div>",
            "sjis.html:2:32: the file is not UTF-8",
        ),
        ("binary.html", &[0, 159, 146, 150], "binary.html:1:2: the file is not UTF-8"),
    ];
    for (name, bytes, told_as) in cases {
        site.write(name, bytes);
        site.write("in/tech/res/120.html", VICHAN);
        let told = import(&site, &["vichan", "--board", "tech", name, "in"]);
        assert_eq!(told.code, 1, "{}", told.err);
        assert!(told.err.contains(told_as), "{}", told.err);
        assert_eq!(told.count("posts"), 2);
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, cases: 300, ..Default::default() })]

    /// Whatever happens to one place of a page, the import goes on, and what it yields is sound.
    #[test]
    fn a_damaged_page_never_stops_the_import(which: bool, at in 0..6_000_usize, cut in 0..200_usize, junk in "[<>/a-z\" =]{0,12}") {
        use nejiboard::store::import::{Dialect, Imported, fourchan};
        let mut page = if which { VICHAN } else { FOURCHAN }.to_owned();
        let floor = |page: &str, at: usize| (0..=at.min(page.len())).rev().find(|at| page.is_char_boundary(*at)).unwrap();
        let (from, to) = (floor(&page, at), floor(&page, at + cut));
        page.replace_range(from..to, &junk);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.html");
        std::fs::write(&path, page).unwrap();
        let mut take = |imported| {
            if let Imported::Thread { thread, .. } = imported {
                assert!(thread.posts.windows(2).all(|pair| pair[0].no < pair[1].no));
            }
            Ok(())
        };
        fourchan(&[path], Some(&crate::sandbox::slug("b")), Dialect::Vichan, &mut take, &mut |_| {}).unwrap();
    }
}
