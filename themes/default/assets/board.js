// What a reader with JavaScript gets beside the page. Nothing here is needed to read or to post: each part starts by
// itself, and one that fails leaves the page as it is. Addresses are taken from the page, so any prefix will do.
"use strict";

const TEXT = {
  ago: "{n} ago",
  answers: "Replies:",
  check: "Check now",
  close: "Close",
  collapse: "Collapse thread",
  copy: "Copy link",
  count1: "1 thread",
  countn: "{n} threads",
  ended: "This thread takes no more replies.",
  filter: "Filter",
  gone: "This thread is gone.",
  help: "Keys and help",
  helpText: "Drafts, hidden and watched threads and your own posts are remembered on this device only.",
  hide: "Hide",
  keys: "Keyboard shortcuts",
  keyCatalog: "catalog",
  keyFilter: "filter the catalog",
  keyHelp: "this help",
  keyHide: "hide",
  keyIndex: "threads of the board",
  keyNew: "next new reply",
  keyNext: "next post or thread",
  keyPrevious: "previous post or thread",
  keyReply: "reply",
  keyUpdate: "check for new replies",
  keyWatch: "watch or stop watching",
  menu: "More about No. {n}",
  missing: "This post cannot be shown.",
  new1: "1 new reply",
  newn: "{n} new replies",
  none: "Nothing new.",
  offline: "The board cannot be reached. What you wrote is kept: try again in a moment.",
  quiet: "The board cannot be reached.",
  quote: "Quote",
  refused: "The post was refused ({n}). What you wrote is kept.",
  safe: "Your post is safe and will appear soon.",
  show: "Show No. {n}",
  sort: "Order",
  sortBump: "last reply",
  sortNewest: "newest",
  sortReplies: "most replies",
  unwatch: "Stop watching",
  watch: "Watch",
  watched: "Watched",
  watchedNone: "Watch a thread to find its new replies here.",
  you: "(You)",
};

const MINUTE = 60_000;
const root = document.documentElement;

// What is remembered on this device, or in this tab where storage is full or forbidden.
const kept = {};
function read(key, none) {
  let value = kept[key];
  try { value ??= JSON.parse(localStorage.getItem("nejiboard:" + key)); } catch { /* as if nothing were there */ }
  const fits = value && typeof value === typeof none && Array.isArray(value) === Array.isArray(none);
  return fits ? value : none;
}
function write(key, value) {
  try { localStorage.setItem("nejiboard:" + key, JSON.stringify(value)); } catch { kept[key] = value; }
}
/** Puts `item` last into a list of at most `most`, or takes it out. */
function list(key, item, put, most = 500) {
  const others = read(key, []).filter((one) => one !== item);
  write(key, put ? [...others, item].slice(-most) : others);
}
/** Keeps the newest `most` entries of an object. */
const newest = (all, most) => Object.fromEntries(Object.entries(all).slice(-most));

// First of all, so that the page is not seen in another style before.
const setStyle = () => { root.dataset.style = read("style", "auto"); };
setStyle();

const $ = (selector, from = document) => from.querySelector(selector);
const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
const say = (key, n) => (TEXT[key] ?? TEXT[key + (n === 1 ? "1" : "n")]).replace("{n}", n);
const make = (tag, className, textContent = "", more = {}) =>
  Object.assign(document.createElement(tag), { className, textContent, ...more });
const button = (className, text, onclick, more) => make("button", className, text, { type: "button", onclick, ...more });
const isInView = (e) => {
  const { top, bottom } = e.getBoundingClientRect();
  return top < innerHeight && bottom > 0;
};

// The page's parts: `thread` on the pages of one thread, `form` where one can post.
let thread, reply, form, text;
const numberOf = (host) => host.dataset.no ?? host.id.slice(1);
const keyOf = (host) => `${host.closest("[data-board]").dataset.board}/${numberOf(host)}`;
const keyOfLink = (a) => a.href.match(/([^/]+)\/thread\/[^/]+#p(\d+)$/)?.slice(1).join("/");
/** The post of a link, if it stands on this page: numbers are unique within a board. */
const here = (a) => {
  const post = document.getElementById(a.hash.slice(1));
  return post?.closest("[data-board]") && keyOf(post) === keyOfLink(a) ? post : null;
};
function goTo(host) {
  if (!host) return;
  host.tabIndex = -1;
  host.focus({ preventScroll: true });
  host.scrollIntoView({ block: host.offsetHeight < innerHeight / 2 ? "center" : "start" });
}

/** Another page of the site; its links are made whole, since they come to stand on this one. */
async function load(url) {
  const answer = await fetch(url, { cache: "no-cache" });
  if (!answer.ok) throw answer.status;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const a of $$(".post a", page)) a.href = new URL(a.getAttribute("href"), answer.url);
  return page;
}
/** The end of a thread, which is all of it if it is short. */
const loadEnd = async ({ whole, tail }) => (tail && await load(tail).catch(() => null)) || load(whole);

// New replies. Browsers ask with `If-None-Match`, so that a thread without news costs next to nothing.
const PAUSE = 5000;
const unseen = new Set();
const drawn = new Map();
let pause = PAUSE, timer, asking, told, over;

/** What the server said of a post: without the paths of links, which differ from page to page, and the answers apart. */
function saidOf(post) {
  const answers = $(":scope > footer", post)?.outerHTML ?? "";
  const plain = (html) => html.replace(/href="[^"#]*/g, "");
  return [plain(post.outerHTML.replace(answers, "")), plain(answers)];
}
const tell = (words) => { if (told) told.textContent = words; };
const titled = document.title;
function count() {
  document.title = unseen.size ? `(${unseen.size}) ${titled}` : titled;
  if (unseen.size) return tell(say("new", unseen.size));
  const last = $$(".thread > .post").at(-1);
  if (last) setWatched(keyOf(thread), { seen: +numberOf(last), unread: 0 });
}
/** Holds what is being read, or written, in its place while posts change around it. */
function hold() {
  const writing = reply?.contains(document.activeElement) && !reply.classList.contains("floating");
  const held = writing ? reply : $$(".thread > .post").find((e) => e.getBoundingClientRect().bottom > 0) ?? reply;
  const top = () => (document.getElementById(held.id) ?? held).getBoundingClientRect().top;
  const before = top();
  return () => scrollBy({ top: top() - before, behavior: "instant" });
}
/** Takes over what a newer page of this thread has. */
function take(page) {
  const release = hold();
  const fresh = [];
  const last = +numberOf($$(".thread > .post").at(-1));
  for (const post of $$(".thread > .post", page)) {
    const said = saidOf(post);
    const [before, old] = [drawn.get(post.id), document.getElementById(post.id)];
    if (`${before}` === `${said}` || (!old && numberOf(post) < last)) continue;
    drawn.set(post.id, said);
    if (!old) {
      thread.append(post);
      fresh.push(post);
    } else if (before?.[0] === said[0]) {
      $(":scope > footer", old)?.remove();
      old.append($(":scope > footer", post) ?? "");
    } else {
      old.replaceWith(post);
    }
  }
  for (const post of fresh) linkBack(post);
  for (const a of $$(".thread > .post a[href*='#p']")) if (here(a)) a.setAttribute("href", a.hash);
  mark();
  const foreign = fresh.filter((post) => !post.matches(".mine"));
  if (foreign.length && !unseen.size) {
    $(".new-post")?.classList.remove("new-post");
    foreign[0].classList.add("new-post");
  }
  for (const post of foreign) unseen.add(post);
  for (const post of $$(".thread > .post")) sight.observe(post);
  release();
  if (foreign.length) count();
  return fresh.length;
}
/** Lists an answer under older posts too, of which the end of a long thread does not tell. */
function linkBack(post) {
  for (const a of $$(".body a.quotelink", post)) {
    const to = here(a);
    const known = to && $$("footer a", to).some((one) => one.hash === `#${post.id}`);
    if (!to || known || to.matches(".gone")) continue;
    if (!$("footer", to)) to.append(make("footer", "", TEXT.answers));
    $("footer", to).append(" ", make("a", "quotelink", `>>${numberOf(post)}`, { href: `#${post.id}` }));
  }
}
function end(words) {
  over = true;
  tell(words);
  $(".status button")?.remove();
}
async function ask() {
  const { whole } = thread.dataset;
  try {
    let page = await loadEnd(thread.dataset);
    const first = $$(".thread > .post", page)[1];
    if (first && !document.getElementById(first.id) && $(".page-tail", page)) page = await load(whole);
    const fresh = take(page);
    pause = fresh ? PAUSE : Math.min(pause * 1.5, MINUTE);
    thread.dataset.tail = $(".thread", page).dataset.tail;
    if (form && !$(".post-form", page)) {
      if (!text.value) reply.replaceChildren(...$("#reply", page).childNodes);
      end(TEXT.ended);
    }
    return fresh;
  } catch (error) {
    if (error === 404) return end(TEXT.gone);
    pause = Math.min(pause * 2, MINUTE);
    tell(TEXT.quiet);
  }
}
/** Looks for news once, and sets the time for the next look. A hidden tab does not look. */
async function update() {
  clearTimeout(timer);
  if (over || !told || document.hidden) return;
  const fresh = await (asking ??= ask().finally(() => { asking = null; }));
  clearTimeout(timer);
  if (!over) timer = setTimeout(update, pause);
  return fresh;
}
function live() {
  const place = $(".status");
  if (!thread || !form || !place) return;
  told = make("span", "", "", { role: "status" });
  place.append(told, " ", button("", TEXT.check, async () => {
    if (await update() === 0 && !unseen.size) tell(TEXT.none);
  }));
  for (const post of $$(".thread > .post")) drawn.set(post.id, saidOf(post));
  timer = setTimeout(update, pause);
  addEventListener("online", update);
}

// What a post gets when it comes into view, and that it was seen.
const sight = new IntersectionObserver((entries) => {
  const seen = entries.filter((one) => one.isIntersecting).map((one) => one.target);
  for (const host of seen) {
    sight.unobserve(host);
    addMenu(host);
  }
  addAgo(seen.map((host) => $("header", host)).filter((head) => head && $("time", head) && !$(".ago", head)));
  if (seen.filter((host) => unseen.delete(host)).length) count();
});

// How long ago: beside the exact time where the line has room for it, else when one points at it.
const relative = new Intl.RelativeTimeFormat(root.lang || "en", { numeric: "auto", style: "short" });
function ago(time) {
  let n = Math.min((Date.parse(time.dateTime) - Date.now()) / 1000, 0);
  for (const [unit, size] of [["second", 60], ["minute", 60], ["hour", 24], ["day", 30], ["month", 12], ["year", 1e9]]) {
    if (-n < size) return relative.format(Math.round(n), unit);
    n /= size;
  }
}
function addAgo(heads) {
  // All are measured together: it must not make a line longer than it is, or what is read would move.
  const before = heads.map((head) => head.offsetHeight);
  for (const head of heads) head.append(make("span", "ago", ` ${ago($("time", head))}`));
  const longer = heads.filter((head, i) => head.offsetHeight > before[i]);
  for (const head of longer) $(".ago", head).remove();
}
function times() {
  setInterval(() => {
    for (const e of $$(".ago")) e.textContent = ` ${ago($("time", e.parentNode))}`;
  }, MINUTE);
  addEventListener("pointerover", ({ target }) => { if (target.matches?.("time")) target.title = ago(target); });
}

// Posts of one's own.
function mark(from = document) {
  const own = new Set(read("own", []));
  if (!own.size) return;
  for (const post of $$(".post[id]:not(.mine)", from)) {
    if (!own.has(keyOf(post))) continue;
    post.classList.add("mine");
    $(".name", post)?.after(" ", make("span", "you", TEXT.you));
  }
  for (const a of $$("a.quotelink", from)) {
    if (!own.has(keyOfLink(a)) || $(".you", a)) continue;
    a.append(" ", make("span", "you", TEXT.you));
    a.closest(".body")?.closest(".post").classList.add("answer");
  }
}

// The form: quick reply, drafts, and sending without leaving the page.
let opener;
function float() {
  if (reply.classList.contains("floating")) return;
  opener = document.activeElement;
  // The page keeps its length, so that nothing jumps when the form leaves its end.
  $("main").style.minHeight = `${$("main").offsetHeight}px`;
  reply.classList.add("floating");
  if (!$(".close", reply)) reply.prepend(button("close", TEXT.close, sink));
}
function sink() {
  if (!reply?.classList.contains("floating")) return;
  reply.classList.remove("floating");
  $(".close", reply).remove();
  $("main").style.minHeight = "";
  if (opener?.isConnected) opener.focus({ preventScroll: true });
}
function quote(no) {
  const picked = getSelection();
  const lines = picked.anchorNode?.parentElement?.closest(".post .body") ? `${picked}`.trim() : "";
  float();
  let words = `>>${no}\n${lines && lines.replace(/^/gm, ">") + "\n"}`;
  const { selectionStart: from, value } = text;
  if (from && value[from - 1] !== "\n") words = `\n${words}`;
  text.setRangeText(words, from, text.selectionEnd, "end");
  text.focus({ preventScroll: true });
  text.dispatchEvent(new Event("input", { bubbles: true }));
}
/** `#q12` on a thread: a reply to post 12, for the links of other pages. */
function answerHash() {
  const [, no] = location.hash.match(/^#q(\d+)$/) ?? [];
  const post = no && document.getElementById(`p${no}`);
  if (!post || !thread) return;
  history.replaceState(null, "", `#p${no}`);
  post.scrollIntoView();
  if (form) quote(no);
}
function notice(words, kind = "") {
  $(".notice", form)?.remove();
  if (words) $(".send", form).before(make("p", `notice wide ${kind}`, words, { role: kind ? "alert" : "status" }));
}
const draftKey = () => `${form.elements.board.value}/${form.elements.thread.value}`;
function saveDraft() {
  const { [draftKey()]: _, ...drafts } = read("drafts", {});
  const draft = Object.fromEntries(["body", "subject", "nonce"].map((key) => [key, form.elements[key]?.value]));
  if (draft.body || draft.subject) drafts[draftKey()] = draft;
  write("drafts", newest(drafts, 20));
}
async function send(event) {
  event.preventDefault();
  if (form.ariaBusy) return;
  const fields = form.elements;
  // One nonce until the post is there: a form that is sent again leads to the first post.
  fields.nonce.value ||= crypto.getRandomValues(new Uint32Array(4)).join("-");
  saveDraft();
  form.ariaBusy = "true";
  try {
    const headers = { Accept: "application/json" };
    const answer = await fetch(form.action, { method: "POST", headers, body: new URLSearchParams(new FormData(form)) });
    const said = await answer.json().catch(() => null);
    if (!answer.ok) return notice(said?.error?.message ?? say("refused", answer.status), "error");
    // Whatever answered is no door of ours; it may know what to do with a plain form.
    if (!said) return form.submit();
    await sent(said);
  } catch {
    notice(TEXT.offline, "error");
  } finally {
    form.ariaBusy = null;
  }
}
async function sent({ board, thread: no, no: mine, url }) {
  const fields = form.elements;
  write("poster", { name: fields.name?.value, options: fields.options.value });
  for (const key of ["body", "subject", "nonce"]) if (fields[key]) fields[key].value = "";
  saveDraft();
  notice();
  if (!url) {
    pause = PAUSE;
    update();
    return notice(TEXT.safe);
  }
  list("own", `${board}/${mine}`, true);
  const whole = url.split("#")[0];
  watch(`${board}/${no}`, { whole, title: thread || !fields.subject ? $("h1").textContent : "", seen: mine });
  if (!thread) return location.assign(url);
  sink();
  // A cache between may show the page of a moment ago.
  for (let tries = 0; tries < 4 && !document.getElementById(`p${mine}`); tries += 1) {
    if (tries) await new Promise((resolve) => setTimeout(resolve, 1000));
    await asking;
    await update();
  }
  const post = document.getElementById(`p${mine}`);
  if (!post) return location.assign(url);
  location.hash = post.id;
  goTo(post);
}
function forms() {
  if (!form) return;
  const fields = form.elements;
  const poster = read("poster", {});
  for (const key of ["name", "options"]) if (fields[key]) fields[key].value ||= poster[key] ?? "";
  if (!text.value) {
    const draft = read("drafts", {})[draftKey()] ?? {};
    for (const key in draft) if (fields[key]) fields[key].value = draft[key] ?? "";
  }
  form.addEventListener("input", saveDraft);
  form.addEventListener("submit", send);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  addEventListener("hashchange", answerHash);
  answerHash();
}

// Previews of quoted posts, each beside the link it belongs to, so that the keyboard comes through it too.
const popups = [];
const pages = new Map();
let pointed, lit;
/** A page that is fetched once and kept a while. */
function recall(url) {
  const page = pages.get(url) ?? load(url);
  pages.delete(url);
  pages.set(url, page);
  if (pages.size > 20) pages.delete(pages.keys().next().value);
  page.catch(() => pages.delete(url));
  return page;
}
function closePopups(from = 0) {
  lit?.classList.remove("highlight");
  for (const { link, popup } of popups.splice(from)) {
    popup.remove();
    link.removeAttribute("aria-describedby");
  }
}
async function preview(link, level) {
  const asked = pointed;
  closePopups(level);
  let post = here(link);
  if (post && !post.closest("[hidden], .hidden-post") && isInView(post)) {
    lit = post;
    return post.classList.add("highlight");
  }
  post ??= (await recall(link.href.split("#")[0]).catch(() => null))?.getElementById(link.hash.slice(1));
  if (asked !== pointed || !link.isConnected) return;
  const popup = make("div", "popup", "", { id: `popup${level}` });
  const copy = post?.cloneNode(true) ?? make("p", "", TEXT.missing);
  copy.removeAttribute("id");
  copy.classList.remove("hidden-post", "highlight", "new-post");
  for (const e of $$(".dots, .stub", copy)) e.remove();
  for (const e of $$("[hidden]", copy)) e.hidden = false;
  popup.append(copy);
  (link.closest(".popup, .post") ?? link).after(popup);
  mark(popup);
  link.setAttribute("aria-describedby", popup.id);
  popups[level] = { link, popup };
  const at = link.getBoundingClientRect();
  const from = (popup.offsetParent ?? root).getBoundingClientRect();
  const below = at.bottom + popup.offsetHeight < innerHeight;
  const left = Math.max(4, Math.min(at.left, root.clientWidth - popup.offsetWidth - 4));
  popup.style.left = `${left - from.left}px`;
  popup.style.top = `${(below ? at.bottom : Math.max(0, at.top - popup.offsetHeight)) - from.top}px`;
}
function point({ type, target, pointerType }) {
  // A finger follows the link; so does the focus that comes with a click.
  if (pointerType === "touch" || (type === "focusin" && !target.matches(":focus-visible"))) return;
  const link = target.closest?.("a.quotelink[href*='#p']");
  const level = popups.findIndex(({ popup }) => popup.contains(target)) + 1;
  clearTimeout(pointed);
  if (link && popups[level]?.link === link) return;
  pointed = link ? setTimeout(() => preview(link, level), 60) : setTimeout(() => closePopups(level), 200);
}
function previews() {
  addEventListener("pointerover", point);
  addEventListener("focusin", point);
}

// Links that open in place.
async function showWhole(a) {
  const post = a.closest(".post");
  const whole = (await load(a.href)).getElementById(post.id);
  post.replaceWith(whole);
  mark(whole);
  sight.observe(whole);
  goTo(whole);
}
async function expand(a) {
  const all = a.closest(".thread");
  const omitted = $(".omitted", all);
  if (a.ariaExpanded) {
    for (const post of $$(".added", all)) post.remove();
    [a.ariaExpanded, a.textContent] = [null, a.title];
    a.title = "";
    if (omitted) omitted.hidden = false;
    return a.scrollIntoView({ block: "center" });
  }
  const page = await load(all.dataset.whole);
  [a.ariaExpanded, a.title, a.textContent] = ["true", a.textContent, TEXT.collapse];
  if (omitted) omitted.hidden = true;
  let last;
  for (const post of $$(".thread > .post", page)) {
    const old = document.getElementById(post.id);
    if (!old) {
      post.classList.add("added");
      last.after(post);
      sight.observe(post);
    }
    last = old ?? post;
  }
  mark(all);
  fold(all);
  goTo($(".added", all));
}
function clicked(event) {
  const a = event.target.closest?.("a");
  if (!a || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const opens = a.matches(".whole") ? showWhole : a.matches(".expand") && expand;
  if (opens) opens(a).catch(() => location.assign(a.href));
  else if (!a.matches(".no") || !keyOfLink(a)) return;
  else if (!thread || !here(a)) location.assign(a.href.replace("#p", "#q"));
  else if (form) quote(a.hash.slice(2));
  else return;
  event.preventDefault();
}

// Threads that are watched, in a list on each page. All tabs together ask for one a minute, each in its turn.
let watcher, watchButton;
function setWatched(key, more) {
  const all = read("watched", {});
  if (!all[key]) return;
  Object.assign(all[key], more);
  write("watched", all);
  showWatched();
}
function watch(key, more) {
  const all = read("watched", {});
  write("watched", newest({ ...all, [key]: { ...all[key], unread: 0, at: Date.now(), ...more } }, 50));
  showWatched();
}
function toggleWatch(host) {
  const [key, { [keyOf(host)]: old, ...others }] = [keyOf(host), read("watched", {})];
  if (old) write("watched", others);
  else {
    const seen = +($$(".post[id]", host).at(-1)?.id.slice(1) ?? 0);
    watch(key, { whole: host.dataset.whole ?? $("a", host).href, title: $("h1, h2", thread ? document : host).textContent, seen });
  }
  showWatched();
}
function showWatched() {
  if (!watcher) return;
  const all = Object.entries(read("watched", {}));
  const unread = all.reduce((sum, [, one]) => sum + one.unread, 0);
  $("summary", watcher).textContent = unread ? `${TEXT.watched} (${unread})` : TEXT.watched;
  $("ul", watcher).replaceChildren(...all.map(([key, one]) => {
    const item = make("li", one.end ? "ended" : "");
    const name = one.title || `/${key}`;
    item.append(make("a", "", name, { href: one.unread ? `${one.whole}#p${one.next}` : one.whole }));
    if (one.unread) item.append(" ", make("span", "unread", one.unread, { title: say("new", one.unread) }));
    const stop = () => {
      const { [key]: _, ...others } = read("watched", {});
      write("watched", others);
      showWatched();
      $("summary", watcher).focus();
    };
    item.append(" ", button("unwatch", "×", stop, { ariaLabel: `${TEXT.unwatch}: ${name}` }));
    return item;
  }));
  $("p", watcher).hidden = all.length;
  if (watchButton) watchButton.textContent = read("watched", {})[keyOf(thread)] ? TEXT.unwatch : TEXT.watch;
}
async function poll() {
  const all = Object.entries(read("watched", {}));
  if (document.hidden || all.some(([, one]) => Date.now() - one.at < MINUTE)) return;
  const [key, one] = all.filter(([, one]) => !one.end).sort((a, b) => a[1].at - b[1].at)[0] ?? [];
  if (!one || (thread && key === keyOf(thread))) return key && setWatched(key, { at: Date.now() });
  setWatched(key, { at: Date.now() });
  try {
    const page = await loadEnd(one);
    const numbers = $$(".thread > .post", page).map((post) => +numberOf(post));
    const news = one.seen ? numbers.filter((no) => no > one.seen) : [];
    const { tail } = $(".thread", page).dataset;
    const end = !$(".post-form", page);
    setWatched(key, { tail, end, unread: news.length, next: news[0], seen: one.seen || numbers.at(-1) });
  } catch (error) {
    if (error === 404) setWatched(key, { end: true });
  }
}
function watching() {
  const place = $(".toolbar");
  if (!place) return;
  if (thread) place.append(watchButton = button("watch", "", () => toggleWatch(thread)));
  watcher = make("details", "watcher");
  watcher.append(make("summary", ""), make("p", "empty", TEXT.watchedNone), make("ul", ""));
  place.append(watcher);
  if (thread) count();
  showWatched();
  setInterval(poll, MINUTE);
  setTimeout(poll, 2000);
}

// Hidden posts and threads, and the menu of a post.
const threadOf = (post) => (thread ? null : post.matches(".op") && post.closest(".thread"));
function setHidden(host, away) {
  host.classList.toggle(host.matches(".post") ? "hidden-post" : "hidden-thread", away);
  $(":scope > .stub", host)?.remove();
  for (const e of host.children) e.hidden = away;
  if (away) host.prepend(button("stub", say("show", numberOf(host)), () => hide(host, false)));
}
function hide(host, away = true) {
  list("hidden", keyOf(host), away);
  setHidden(host, away);
  if (away) $(".stub", host).focus({ preventScroll: true });
  else goTo(host);
}
/** Folds what was hidden before. In its own thread an opening post is always shown. */
function fold(from = document) {
  const hidden = new Set(read("hidden", []));
  if (!hidden.size) return;
  for (const host of $$("article.thread, .card[data-no], .post[id]:not(.op)", from)) if (hidden.has(keyOf(host))) setHidden(host, true);
}
let menu;
function addMenu(host) {
  if (!("popover" in menu) || !host.matches(".card, .post:not(.gone)") || $(".dots", host)) return;
  const no = numberOf(host);
  host.append(button("dots", "…", ({ target }) => openMenu(host, target), { ariaLabel: say("menu", no), ariaHasPopup: "true" }));
}
function openMenu(host, dots) {
  const a = $(".no, h2 a", host);
  const whole = host.matches(".card") ? host : threadOf(host);
  const act = (words, does) => button("", words, () => {
    menu.hidePopover();
    does();
  });
  const items = [];
  if (a.matches(".no") && (form || !thread)) items.push(act(TEXT.quote, () => a.click()));
  if (whole) items.push(act(read("watched", {})[keyOf(whole)] ? TEXT.unwatch : TEXT.watch, () => toggleWatch(whole)));
  if (whole || !host.matches(".op")) items.push(act(TEXT.hide, () => hide(whole || host)));
  // A page that is not served securely may not write there.
  if (navigator.clipboard) items.push(act(TEXT.copy, () => navigator.clipboard.writeText(a.href)));
  menu.replaceChildren(...items);
  dots.after(menu);
  menu.showPopover();
  const { right, bottom } = dots.getBoundingClientRect();
  menu.style.inset = "auto";
  menu.style.margin = 0;
  menu.style.left = `${Math.max(4, right - menu.offsetWidth)}px`;
  menu.style.top = `${Math.max(0, Math.min(bottom, innerHeight - menu.offsetHeight))}px`;
  items[0].focus();
}
function menus() {
  menu = make("div", "menu", "", { popover: "auto" });
  fold();
  for (const host of $$(".post[id], .card[data-no]")) sight.observe(host);
}

// The catalog's filter and order.
function catalog() {
  const [tools, cards] = [$(".catalog-tools"), $(".page-catalog .cards")];
  if (!tools || !cards) return;
  const all = [...cards.children];
  const filter = make("input", "", "", { type: "search" });
  const order = make("select", "");
  const found = make("span", "", "", { role: "status" });
  for (const [value, words] of [["bump", TEXT.sortBump], ["no", TEXT.sortNewest], ["replies", TEXT.sortReplies]]) {
    order.append(make("option", "", words, { value }));
  }
  for (const [words, field] of [[TEXT.filter, filter], [TEXT.sort, order]]) {
    const label = make("label", "", `${words} `);
    label.append(field);
    tools.append(label);
  }
  tools.append(found);
  filter.oninput = () => {
    const words = filter.value.toLowerCase().split(/\s+/);
    for (const card of all) {
      const has = `${card.textContent} /${card.dataset.board}/`.toLowerCase();
      card.hidden = !words.every((word) => has.includes(word));
    }
    found.textContent = filter.value ? say("count", all.filter((card) => !card.hidden).length) : "";
  };
  const sort = () => {
    const by = order.value;
    cards.append(...(by === "bump" ? all : [...all].sort((a, b) => b.dataset[by] - a.dataset[by])));
  };
  order.onchange = () => {
    write("sort", order.value);
    sort();
  };
  order.value = read("sort", "bump");
  if (order.value !== "bump") sort();
}

// The keyboard, and the sheet that tells of it.
const hosts = () => $$(thread ? ".thread > .post" : "article.thread, .card[data-no]:not([hidden])");
function current() {
  const focused = document.activeElement.closest(".thread > .post, article.thread, .card");
  const own = thread ? focused : focused?.closest("article.thread, .card") ?? null;
  return own && isInView(own) ? own : null;
}
const nearest = () => current() ?? hosts().find((e) => e.getBoundingClientRect().bottom > 0);
function move(step) {
  const all = hosts();
  const at = all.indexOf(nearest());
  goTo(all[current() || step < 0 ? at + step : at]);
}
const visit = (nth) => {
  const a = $(`.bar li:nth-child(${nth}) a`);
  if (a) location.assign(a.href);
};
const KEYS = [
  ["j", TEXT.keyNext, () => move(1)],
  ["k", TEXT.keyPrevious, () => move(-1)],
  ["n", TEXT.keyNew, () => goTo([...unseen][0] ?? $(".new-post"))],
  ["r", TEXT.keyReply, () => $(".no", nearest())?.click()],
  ["w", TEXT.keyWatch, () => (thread || nearest()) && toggleWatch(thread ?? nearest())],
  ["h", TEXT.keyHide, () => nearest() && !nearest().matches(".op") && hide(nearest())],
  ["u", TEXT.keyUpdate, () => $(".status button")?.click()],
  ["c", TEXT.keyCatalog, () => visit(2)],
  ["i", TEXT.keyIndex, () => visit(1)],
  ["/", TEXT.keyFilter, () => ($(".catalog-tools input") ? $(".catalog-tools input").focus() : visit(2))],
  ["?", TEXT.keyHelp, () => help()],
];
let sheet;
function help() {
  if (!sheet) {
    sheet = make("dialog", "help");
    const keys = make("dl", "");
    for (const [key, words] of KEYS) {
      const term = make("dt", "");
      term.append(make("kbd", "", key));
      keys.append(term, make("dd", "", words));
    }
    const label = make("label", "", ` ${TEXT.keys}`);
    const onchange = ({ target }) => write("keys", target.checked ? "on" : "off");
    label.prepend(make("input", "", "", { type: "checkbox", checked: read("keys", "on") === "on", onchange }));
    const head = make("h2", "", TEXT.help, { id: "help" });
    sheet.append(head, label, keys, make("p", "", TEXT.helpText), button("", TEXT.close, () => sheet.close()));
    sheet.setAttribute("aria-labelledby", "help");
    document.body.append(sheet);
  }
  sheet.showModal();
}
function pressed(event) {
  if (event.key === "Escape") return popups.length || lit ? closePopups() : sink();
  const typing = event.target.closest?.("input, textarea, select, dialog, [popover], [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || read("keys", "on") !== "on") return;
  const does = KEYS.find(([key]) => key === event.key)?.[2];
  if (!does) return;
  event.preventDefault();
  does();
}
function keys() {
  addEventListener("keydown", pressed);
  $(".foot")?.append(button("help-button", `${TEXT.help} (?)`, help));
}

function styles() {
  const show = () => {
    setStyle();
    const radio = $(`.styles [value="${CSS.escape(root.dataset.style)}"]`);
    if (radio) radio.checked = true;
  };
  $(".styles")?.addEventListener("change", ({ target }) => {
    write("style", target.value);
    setStyle();
  });
  addEventListener("storage", ({ key }) => {
    if (key === "nejiboard:style") show();
    if (key === "nejiboard:watched") showWatched();
  });
  show();
}
function start() {
  thread = $("div.thread");
  reply = $("#reply");
  form = $(".post-form");
  text = form?.elements.body;
  const again = () => {
    if (document.hidden) return;
    update();
    poll();
  };
  document.addEventListener("visibilitychange", again);
  addEventListener("click", clicked);
  for (const part of [styles, live, mark, watching, menus, forms, previews, catalog, times, keys]) {
    try { part(); } catch (error) { console.error(error); }
  }
}
if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
else start();
