//! Held posts, postures and what is about a whole board, in the browser.

use std::fs;

use nejiboard::model::role::Role;

use super::super::sandbox::Sandbox;
use super::super::sandbox::running::{Reply, Running, run, wait_until};
use super::{Browser, SITE, add_all, hidden, open, post_from};

/// The site on whose board `art` all posts are held, and `serve` on it.
fn held_site() -> (Sandbox, Running) {
    let site = Sandbox::new(SITE);
    site.write("content/art/board.yaml", "title: Art\nmoderation: all\n");
    add_all(&site);
    let running = Running::start(site.root());
    (site, running)
}

/// Sends a post from an address that is then held.
#[track_caller]
fn hold(running: &Running, address: &str, fields: &[(&str, &str)]) {
    let reply = send(running, address, fields);
    assert_eq!(reply.status, 202, "{}", reply.body);
}

fn send(running: &Running, address: &str, fields: &[(&str, &str)]) -> Reply {
    let headers = [("X-Forwarded-For", address), ("Accept", "application/json")];
    running.post_with(&headers, &[&[("board", "art")], fields].concat())
}

/// The ids of held posts on a page, in its order.
fn ids(page: &str) -> Vec<String> {
    let parts = page.split("name=\"held\" value=\"").skip(1);
    parts.map(|part| part.split('"').next().unwrap().to_owned()).collect()
}

fn log(site: &Sandbox) -> String {
    String::from_utf8(run(site.root(), &["mod", "log"]).stdout).unwrap()
}

#[test]
fn held_posts_are_shown_as_the_board_would_with_all_that_it_takes_to_decide() {
    let (_site, running) = held_site();
    let evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>";
    hold(&running, "203.0.113.9", &[("thread", "1"), ("name", "Neji#key"), ("body", "see >>1 and >>>/tech/3 **now**")]);
    hold(&running, "203.0.113.9", &[("name", evil), ("subject", evil), ("body", &format!("{evil}\n> {evil}"))]);
    let browser = Browser::signed_in(&running, "moderator");
    assert!(browser.get("").body.contains("<a href=\"/mod/held\">Held posts: 2</a>"));
    let page = browser.get("held").body;
    for text in [
        "<a href=\"/art/index.html\">/art/</a>, <a href=\"/art/thread/1.html\">in thread 1</a>",
        ", a new thread",
        "<p class=\"why\" dir=\"auto\">Held: this board holds all posts</p>",
        "<span dir=\"auto\">Neji</span> <span>!",
        "<a href=\"/art/thread/1.html#p1\" class=\"quotelink\">",
        "<a href=\"/tech/thread/1.html#p3\" class=\"quotelink\">",
        "<strong>now</strong>",
        "<span dir=\"auto\">&lt;script&gt;alert(1)",
        "<span class=\"quote\">&gt; &lt;script&gt;",
        "aria-label=\"Approve held post 1\"",
        "aria-label=\"Deny held post 2\"",
        "<span class=\"sr\">Choose held post 2</span>",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    for markup in ["<script", "<img", "\"'>", "203.0.113"] {
        assert!(!page.contains(markup), "{markup}: {page}");
    }
    // Both came from the same sender, who is known by the same ten digits as of any post.
    let senders: Vec<&str> = page.split("/mod/sender/").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(senders.len() == 2 && senders[0] == senders[1] && senders[0].len() == 10, "{senders:?}");
    let theirs = browser.get(&format!("sender/{}", senders[0])).body;
    let link = format!("<a href=\"/mod/held/sender/{}\">Held posts of this sender: 2</a>", senders[0]);
    assert!(theirs.contains(&link), "{theirs}");
    assert_eq!(ids(&browser.get(&format!("held/sender/{}", senders[0])).body), ids(&page));
    assert!(browser.get("held/sender/0123456789").body.contains("Nothing is held of this sender."));
    // A janitor decides, and sees no more than what it takes.
    let janitor = Browser::signed_in(&running, "janitor");
    let seen = janitor.get("held").body;
    assert!(seen.contains("Approve held post 1") && !seen.contains("sender") && !seen.contains("ban"), "{seen}");
    assert_eq!(janitor.get(&format!("held/sender/{}", senders[0])).status, 403);
    for path in ["held/x", "held/post/..", "held/post/x", "held/after/x", "held/sender/xyz", "heldx"] {
        assert_eq!(browser.get(path).status, 404, "{path}");
    }
}

#[test]
fn held_posts_are_approved_and_denied_and_what_was_denied_can_be_had_back() {
    let (site, running) = held_site();
    for body in ["first one", "second one", "third one", "fourth one"] {
        hold(&running, "203.0.113.9", &[("thread", "1"), ("body", body)]);
    }
    let browser = Browser::signed_in(&running, "janitor");
    let all = ids(&browser.get("held").body);
    let bodies = |page: &str| {
        let names = ["first", "second", "third", "fourth"];
        names.map(|name| page.contains(&format!("{name} one")))
    };
    assert_eq!(all.len(), 4);
    let of = |body: &str| {
        let page = browser.get("held").body;
        let case = page.split("<div class=\"pick\">").find(|case| case.contains(body)).unwrap();
        ids(case).remove(0)
    };
    let (first, second, third, fourth) = (of("first one"), of("second one"), of("third one"), of("fourth one"));
    // A button beside a post means that post, whatever is ticked.
    let page = browser.does(&[("one", &format!("approve {first}")), ("held", &second), ("back", "held")]);
    assert_eq!(bodies(&page), [false, true, true, true], "{page}");
    running.wait_for("/art/thread/1.html", "first one");
    let page = browser.does(&[("act", "deny"), ("held", &second), ("held", &third), ("why", "spam"), ("back", "held")]);
    assert_eq!(bodies(&page), [false, false, false, true], "{page}");
    assert!(log(&site).contains(" janitor deny") && log(&site).contains(": spam ["), "{}", log(&site));
    // Whoever may undo has them back, and they stand where they stood.
    let moderator = Browser::signed_in(&running, "moderator");
    let lines = moderator.get("log").body;
    assert!(lines.contains("deny, 2 held posts") && lines.contains("approve, a held post"), "{lines}");
    assert_eq!(lines.matches("value=\"undo\"").count(), 1, "an approval is taken back by deleting: {lines}");
    moderator.does(&[("act", "undo"), ("of", &hidden(&lines, "of")), ("back", "log")]);
    assert_eq!(bodies(&browser.get("held").body), [false, true, true, true]);
    assert!(browser.get("held").body.find("third one") < browser.get("held").body.find("fourth one"));
    let page = browser.get(&format!("held/post/{third}")).body;
    assert!(page.contains("third one") && !page.contains("fourth one") && page.contains(" checked>"), "{page}");
    browser.does(&[("act", "approve"), ("held", &third), ("held", &fourth), ("back", "held")]);
    running.wait_for("/art/thread/1.html", "fourth one");
    let thread = site.page("art/thread/1.html");
    assert_eq!(bodies(&thread), [true, false, true, true]);
    // What is decided by now is told, and nothing else is done with it.
    let late = browser.send("act", &[("act", "deny"), ("held", &first), ("held", &second)]);
    assert!(late.status == 422 && late.body.contains("no post is held by the id"), "{}", late.body);
    assert_eq!(ids(&browser.get("held").body), [second]);
    for wrong in [&[("act", "deny")][..], &[("act", "approve"), ("held", "../x")], &[("one", "deny ")]] {
        assert_eq!(browser.send("act", wrong).status, 422, "{wrong:?}");
    }
}

#[test]
fn the_sender_of_a_held_post_is_banned_also_after_it_was_thrown_away() {
    let (site, running) = held_site();
    hold(&running, "198.51.100.7", &[("thread", "1"), ("body", "cheap watches")]);
    hold(&running, "198.51.100.8", &[("thread", "1"), ("body", "cheap clocks")]);
    let browser = Browser::signed_in(&running, "moderator");
    let held = ids(&browser.get("held").body);
    browser.does(&[("one", &format!("ban-deny {}", held[0])), ("hours", "24"), ("why", "watches"), ("back", "held")]);
    let bans = browser.get("bans").body;
    assert!(bans.contains("The sender of a post on all boards, until "), "{bans}");
    let again = send(&running, "198.51.100.7", &[("thread", "1"), ("body", "expensive watches")]);
    assert!(again.status == 403 && again.body.contains("watches"), "{}", again.body);
    browser.does(&[("act", "ban-held"), ("held", &held[1]), ("hours", ""), ("back", "held")]);
    assert_eq!(send(&running, "198.51.100.8", &[("thread", "1"), ("body", "more")]).status, 403);
    assert_eq!(ids(&browser.get("held").body), held[1..], "it still waits");
    browser.does(&[("act", "unban"), ("of", &hidden(&browser.get("bans").body, "of")), ("back", "bans")]);
    hold(&running, "198.51.100.8", &[("thread", "1"), ("body", "an apology")]);
    // By command as well, with the post long decided.
    let told = run(site.root(), &["mod", "ban", "--held", &held[0]]);
    assert!(told.status.success(), "{told:?}");
    let nobody = run(site.root(), &["mod", "ban", "--held", "nobody"]);
    let said = String::from_utf8(nobody.stderr).unwrap();
    assert!(
        nobody.status.code() == Some(3) && said.contains("the held post `nobody` came from is not known"),
        "{said}"
    );
    let pages = ["held", "bans", "log"].map(|path| browser.get(path).body);
    assert!(pages.iter().all(|page| !page.contains("198.51.100")));
}

#[test]
fn a_long_queue_comes_in_pages_and_goes_at_one_word_but_what_came_since_stays() {
    let (site, running) = held_site();
    site.write("content/site.yaml", site.read("content/site.yaml") + "posts_per_minute: 10000\n");
    hold(&running, "203.0.113.9", &[("thread", "1"), ("body", "the very first")]);
    // As many more as would take too long to send: copies of its file.
    let folder = site.path(".nejiboard/mod/held");
    let browser = Browser::signed_in(&running, "janitor");
    let first = ids(&browser.get("held").body).remove(0);
    let text = fs::read_to_string(folder.join(format!("{first}.md"))).unwrap();
    for n in 0..119 {
        let id = format!("copy{n:03}");
        fs::write(folder.join(format!("{id}.md")), text.replace(&first, &id).replace("the very first", &id)).unwrap();
        fs::write(folder.join(format!("{id}.why")), "copied\n").unwrap();
    }
    let (mut path, mut seen) = ("held".to_owned(), Vec::new());
    loop {
        let page = browser.get(&path).body;
        assert!(ids(&page).len() <= 50 && page.contains("120 wait; here are "), "{page}");
        seen.extend(ids(&page));
        let Some(next) = page.split("<a rel=\"next\" href=\"/mod/").nth(1) else { break };
        path = next.split('"').next().unwrap().to_owned();
    }
    assert_eq!(seen.len(), 120);
    assert_eq!(seen[0], first, "the oldest first");
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 120, "each once");
    // One can go back to the page on which one was.
    let id = ids(&browser.get(&path).body).remove(0);
    let page = browser.does(&[("one", &format!("deny {id}")), ("back", &path)]);
    assert!(page.contains("here are 101 to 119"), "{page}");
    let until = hidden(&browser.get("held").body, "until");
    hold(&running, "203.0.113.10", &[("thread", "1"), ("body", "late but honest")]);
    let all = [("act", "deny-all"), ("until", until.as_str()), ("why", "raid"), ("back", "held")];
    let unsure = browser.send("act", &all);
    assert!(unsure.status == 422 && unsure.body.contains("Tick the box"), "{}", unsure.body);
    let page = browser.does(&[&all[..], &[("sure", "yes")]].concat());
    assert!(ids(&page).len() == 1 && page.contains("late but honest") && page.contains("1 waits."), "{page}");
    let moderator = Browser::signed_in(&running, "moderator");
    assert!(moderator.get("log").body.contains("deny, 119 held posts"));
    for (field, value) in [("until", ""), ("until", "x"), ("until", "0-x")] {
        let reply = browser.send("act", &[("act", "deny-all"), ("sure", "yes"), (field, value)]);
        assert_eq!(reply.status, 422, "{field} {value}");
    }
    // Of one sender alone.
    hold(&running, "203.0.113.11", &[("thread", "1"), ("body", "spam again")]);
    let page = moderator.get("held").body;
    let case = page.split("<div class=\"pick\">").find(|case| case.contains("spam again")).unwrap();
    let label = case.split("/mod/sender/").nth(1).unwrap().split('"').next().unwrap();
    let until = hidden(&page, "until");
    let of_sender = [("act", "approve-all"), ("sure", "yes"), ("until", until.as_str()), ("of", label)];
    assert_eq!(browser.send("act", &of_sender).status, 403, "a janitor knows no senders");
    moderator.does(&of_sender);
    running.wait_for("/art/thread/1.html", "spam again");
    assert!(moderator.get("held").body.contains("late but honest"));
}

#[test]
fn a_long_held_post_is_cut_in_the_list_and_whole_on_its_own_page() {
    let (_site, running) = held_site();
    let body = format!("beginning {} the very end", "long ".repeat(1_000));
    hold(&running, "203.0.113.9", &[("thread", "1"), ("body", &body)]);
    let browser = Browser::signed_in(&running, "janitor");
    let page = browser.get("held").body;
    assert!(page.contains("beginning") && !page.contains("the very end"), "{page}");
    let id = ids(&page).remove(0);
    assert!(page.contains(&format!("<a href=\"/mod/held/post/{id}\">The whole text of held post 1</a>")), "{page}");
    assert!(browser.get(&format!("held/post/{id}")).body.contains("the very end"));
}

#[test]
fn a_thread_that_is_gone_is_told_so_beside_the_post_that_answers_it() {
    let (_site, running) = held_site();
    hold(&running, "203.0.113.9", &[("thread", "1"), ("body", "an answer")]);
    let browser = Browser::signed_in(&running, "moderator");
    browser.does(&[("one", "delete art/1")]);
    let page = browser.get("held").body;
    assert!(page.contains("in thread 1, which is gone") && page.contains("an answer"), "{page}");
}

#[test]
fn forms_about_held_posts_need_the_token_too() {
    let (site, running) = held_site();
    hold(&running, "203.0.113.9", &[("thread", "1"), ("body", "wait for it")]);
    let browser = Browser::signed_in(&running, "admin");
    let page = browser.get("held").body;
    let (id, until) = (ids(&page).remove(0), hidden(&page, "until"));
    assert_eq!(page.matches("<form").count(), page.matches("name=\"csrf\"").count());
    assert_eq!(page.matches("name=\"csrf\" value=\"\"").count(), 0);
    for fields in [
        &[("act", "approve"), ("held", id.as_str())][..],
        &[("one", &format!("deny {id}"))],
        &[("act", "deny-all"), ("sure", "yes"), ("until", &until)],
        &[("act", "posture"), ("posture", "closed")],
        &[("act", "wipe-since"), ("board", "tech"), ("since", "9000d"), ("sure", "yes")],
        &[("act", "ban-range"), ("range", "0.0.0.0/0")],
    ] {
        assert_eq!(browser.send_with("act", "", fields).status, 403, "{fields:?}");
        let foreign = [&[("csrf", browser.csrf.as_str())], fields].concat();
        assert_eq!(browser.send_with("act", "Origin: https://evil.example\r\n", &foreign).status, 403, "{fields:?}");
    }
    assert_eq!(ids(&browser.get("held").body), [id]);
    assert!(!site.path(".nejiboard/mod/log").exists());
}

#[test]
fn a_posture_is_set_in_the_browser_and_told_on_every_page() {
    let (site, running) = open();
    let browser = Browser::signed_in(&running, "moderator");
    let pages = ["", "reports", "posts", "held", "log", "bans", "post/tech/1", "posture", "nothing"];
    let told = |browser: &Browser<'_>, text: &str| pages.map(|path| browser.get(path).body.contains(text));
    assert_eq!(told(&browser, "class=\"stance\""), [false; 9]);
    assert!(browser.get("posture").body.contains("Calm: all is as the settings say."));
    let set = [("act", "posture"), ("posture", "closed"), ("hours", "2"), ("why", "a raid"), ("back", "posture")];
    let page = browser.does(&set);
    assert!(page.contains("Closed: no posts are taken. Since ") && page.contains(", by moderator."), "{page}");
    assert_eq!(told(&browser, "<p class=\"stance\">Closed: no posts are taken. Until 20"), [true; 9]);
    assert!(browser.get("").body.contains("Set by moderator. <a href=\"/mod/posture\">Change it</a>"));
    let refused = running.post_for_json(&[("board", "tech"), ("thread", "1"), ("body", "hello")]);
    assert!(refused.status == 503 && refused.body.contains("closed"), "{}", refused.body);
    // Whoever may not change it sees it all the same, but nobody who is not signed in.
    let janitor = Browser::signed_in(&running, "janitor");
    let page = janitor.get("").body;
    assert!(page.contains("class=\"stance\"") && !page.contains("/mod/posture"), "{page}");
    assert_eq!(janitor.get("posture").status, 403);
    assert!(!Browser::new(&running).get("").body.contains("stance"));
    for (fields, told) in [
        (&[("act", "posture"), ("posture", "open")][..], "there is no posture `open`"),
        (&[("act", "posture")], "there is no posture"),
        (&[("act", "posture"), ("posture", "closed"), ("hours", "soon")], "the hours are no number"),
        (&[("act", "posture"), ("posture", "closed"), ("hours", "0")], "a posture holds for 1 to 1000000 hours"),
        (&[("act", "posture"), ("posture", "closed"), ("hours", "4294967295")], "a posture holds for 1 to 1000000"),
    ] {
        let reply = browser.send("act", fields);
        let body = reply.body.replace("&#x60;", "`");
        assert!(reply.status == 422 && body.contains(told), "{fields:?}: {body}");
    }
    browser.does(&[("act", "posture"), ("posture", "calm")]);
    assert_eq!(told(&browser, "class=\"stance\""), [false; 9]);
    assert_eq!(running.post_for_json(&[("board", "tech"), ("thread", "1"), ("body", "hello")]).status, 201);
    assert!(log(&site).contains("moderator closed : a raid") || log(&site).contains("a raid"), "{}", log(&site));
}

#[test]
fn all_posts_of_a_board_since_a_time_are_deleted_at_once_if_that_is_meant() {
    let (site, running) = open();
    post_from(&running, "203.0.113.9", &[("board", "tech"), ("thread", "1"), ("body", "from the raid")]);
    post_from(&running, "203.0.113.10", &[("board", "art"), ("thread", "1"), ("body", "elsewhere")]);
    let browser = Browser::signed_in(&running, "moderator");
    let wipe = [("act", "wipe-since"), ("board", "tech"), ("since", "30m"), ("why", "raid"), ("back", "posture")];
    let unsure = browser.send("act", &wipe);
    assert!(unsure.status == 422 && unsure.body.contains("Tick the box"), "{}", unsure.body);
    for (name, value, told) in [
        ("since", "soon", "is no time such as"),
        ("since", "", "is no time such as"),
        ("board", "../x", "board"),
        ("board", "nowhere", "there is no board `nowhere`"),
    ] {
        let fields = wipe.map(|(key, old)| if key == name { (key, value) } else { (key, old) });
        let reply = browser.send("act", &[&fields[..], &[("sure", "yes")]].concat());
        let body = reply.body.replace("&#x60;", "`");
        assert!(reply.status == 422 && body.contains(told) && !body.contains("cannot be done: this"), "{body}");
    }
    let page = browser.does(&[&wipe[..], &[("sure", "yes")]].concat());
    assert!(page.contains("Done: wipe"), "{page}");
    let thread = site.page("tech/thread/1.html");
    assert!(!thread.contains("from the raid") && thread.contains("the first thread") && thread.contains("gold"));
    assert!(site.page("art/thread/1.html").contains("elsewhere"));
    browser.does(&[("act", "undo"), ("of", &hidden(&browser.get("log").body, "of"))]);
    assert!(site.page("tech/thread/1.html").contains("from the raid"));
}

#[test]
fn a_range_is_banned_in_the_browser_and_shown_nowhere() {
    let (_site, running) = open();
    let browser = Browser::signed_in(&running, "moderator");
    let ban = |range: &str| {
        let fields = [("act", "ban-range"), ("range", range), ("only", "tech"), ("hours", "1"), ("back", "bans")];
        browser.send("act", &fields)
    };
    for wrong in ["", "x", "203.0.113.0/33", "203.0.113.0/24; drop"] {
        let reply = ban(wrong);
        assert!(reply.status == 422 && !reply.body.contains("/33"), "{wrong}: {}", reply.body);
    }
    assert_eq!((ban("198.51.100.0/24").status, ban("2001:db8::7").status), (303, 303));
    let post = |address: &str| {
        let fields = [("board", "tech"), ("thread", "1"), ("body", "hello")];
        running.post_with(&[("X-Forwarded-For", address), ("Accept", "application/json")], &fields).status
    };
    assert_eq!([post("198.51.100.77"), post("2001:db8::7"), post("203.0.113.9")], [403, 403, 201]);
    for path in ["bans", "log", ""] {
        let page = browser.get(path).body;
        assert!(!page.contains("198.51.100") && !page.contains("2001:db8"), "{path}: {page}");
    }
    assert_eq!(browser.get("bans").body.matches("A range of addresses on /tech/").count(), 2);
}

/// What lies in the inbox must never bring the builder down, however far in the future it reaches.
#[test]
fn hours_that_no_calendar_has_are_refused() {
    let (site, running) = open();
    let browser = Browser::signed_in(&running, "moderator");
    let no = post_from(&running, "203.0.113.9", &[("board", "tech"), ("thread", "1"), ("body", "hello")]);
    let target = format!("tech/{no}");
    let reply = browser.send("act", &[("act", "ban"), ("on", &target), ("hours", "4294967295")]);
    assert!(reply.status == 422 && reply.body.contains("at most 1,000,000 hours"), "{}", reply.body);
    let act =
        r#"{"act": "ban", "range": "203.0.113.0/24", "hours": 999999, "by": "neji", "at": "+262142-01-01T00:00:00Z"}"#;
    site.write("posts-inbox/far.json", format!("{act}\n"));
    wait_until("it is rejected", || site.path("posts-inbox/rejected/far.json.why").exists());
    browser.does(&[("act", "ban"), ("on", &target), ("hours", "24")]);
}

#[test]
fn each_role_sees_the_pages_of_what_it_may_do() {
    let (_site, running) = held_site();
    hold(&running, "203.0.113.9", &[("thread", "1"), ("body", "wait")]);
    for role in Role::ALL {
        let browser = Browser::signed_in(&running, role.name());
        let may = Role::Moderator <= role;
        let overview = browser.get("").body;
        assert!(overview.contains("href=\"/mod/held\""), "{role:?}");
        assert_eq!(overview.contains("href=\"/mod/posture\""), may, "{role:?}");
        let page = browser.get("held").body;
        assert_eq!(page.contains("value=\"ban-deny"), may, "{role:?}");
        assert!(page.contains("value=\"deny-all\""), "{role:?}");
        assert_eq!(browser.get("bans").body.contains("value=\"ban-range\""), may, "{role:?}");
        assert_eq!(browser.get("posture").body.contains("value=\"wipe-since\""), may, "{role:?}");
    }
}
