// What a reader with JavaScript gets beside the page, which does without it.
"use strict";

const TEXT = {
	check: "{{t 'script-check'}}",
	close: "{{t 'script-close'}}",
	collapse: "{{t 'script-collapse'}}",
	copy: "{{t 'script-copy'}}",
	failed: "{{t 'script-failed'}}",
	gone: "{{t 'script-gone'}}",
	held: "{{t 'post-held-next'}}",
	help: "{{t 'script-help'}}",
	hide: "{{t 'script-hide'}}",
	keys: "{{t 'script-keys'}}",
	keyList: {
		j: "{{t 'script-key-j'}}",
		k: "{{t 'script-key-k'}}",
		n: "{{t 'script-key-n'}}",
		r: "{{t 'script-key-r'}}",
		w: "{{t 'script-key-w'}}",
		h: "{{t 'script-key-h'}}",
		u: "{{t 'script-key-u'}}",
		c: "{{t 'script-key-c'}}",
		i: "{{t 'script-key-i'}}",
		"/": "{{t 'script-key-filter'}}",
		"?": "{{t 'script-key-help'}}",
	},
	menu: "{{t 'script-menu'}}",
	new1: "{{t 'script-new.one'}}",
	newn: "{{t 'script-new.other'}}",
	none: "{{t 'script-none'}}",
	offline: "{{t 'script-offline'}}",
	quote: "{{t 'script-quote'}}",
	safe: "{{t 'script-safe'}}",
	show: "{{t 'script-show'}}",
	unwatch: "{{t 'script-unwatch'}}",
	watch: "{{t 'script-watch'}}",
	watched: "{{t 'script-watched'}}",
	you: "{{t 'script-you'}}",
};

// Kept on this device alone; storage may be forbidden, or full.
function read(name, none = []) {
	try { return JSON.parse(localStorage["nejiboard:" + name]); } catch { return none; }
}
function write(name, value) {
	try { localStorage["nejiboard:" + name] = JSON.stringify(value); } catch { /* forgotten */ }
}
const list = (name) => new Map(read(name));
function keep(name, key, value, most = 500) {
	const all = list(name);
	all.delete(key);
	if (value) all.set(key, value);
	write(name, [...all].slice(-most));
}

const $ = (selector, from = document) => from.querySelector(selector);
const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
const root = document.documentElement;
function setStyle() {
	root.dataset.style = read("style", "auto");
	for (const one of $$("[name=style]")) one.checked = one.value === root.dataset.style;
}
// Early, so that the page is not seen in another style before.
setStyle();
const byId = (id) => document.getElementById(id);
const make = (tag, className = "", textContent = "", more) =>
	Object.assign(document.createElement(tag), { className, textContent }, more);
const button = (name, words, onclick, ariaLabel) => make("button", name, words, { type: "button", onclick, ariaLabel });
const box = (e) => e.getBoundingClientRect();
const isInView = (e) => box(e).top < innerHeight && box(e).bottom > 0;
const isChord = (e) => e.ctrlKey || e.metaKey || e.altKey;

// `thread` is on a thread's pages, `form` where one can post. A host is a post, a thread or a card.
let thread, reply, form, text;
const posts = (from) => $$(".thread > .post", from);
const noOf = (host) => +(host.dataset.no ?? host.id.slice(1));
const lastNo = (from) => posts(from).map(noOf).at(-1);
const keyOf = (host) => host.closest("[data-board]").dataset.board + "/" + noOf(host);
const linkKey = (a) => a.href.match(/([^/]+)\/thread\/[^/]+#p(\d+)$/)?.slice(1).join("/");
function here(a) {
	const post = byId(a.hash.slice(1));
	return post && keyOf(post) === linkKey(a) && post;
}
function goTo(host) {
	if (!host) return;
	host.tabIndex = -1;
	host.focus();
	host.scrollIntoView();
}
// Another page; links within it come to begin with `base`.
async function load(url, base = url.split("#")[0]) {
	const answer = await fetch(url, { cache: "no-cache" });
	if (!answer.ok) throw answer.status;
	const page = new DOMParser().parseFromString(await answer.text(), "text/html");
	for (const a of $$("[href^='#']", page)) a.href = base + a.hash;
	return page;
}
const loadEnd = async ({ whole, tail }) => (tail && await load(tail, "").catch(() => null)) || load(whole, "");

// New replies: the browser asks whether the page changed, so no news cost little.
const PAUSE = 5e3, MINUTE = 6e4;
const unseen = new Set(), told = make("span", "", "", { role: "status" }), { title } = document;
let pause = PAUSE, timer, asking;
function count() {
	const n = unseen.size;
	document.title = (n ? `(${n}) ` : "") + title;
	told.textContent = n ? (n === 1 ? TEXT.new1 : TEXT.newn).replace("{n}", n) : TEXT.none;
	if (!n) setWatched(keyOf(thread), { seen: lastNo(), unread: 0 });
}
// Takes over what is new; what is read, or written, keeps its place.
function take(page) {
	const held = (!reply.matches(":focus-within:not(.floating)") && posts().find(isInView)) || reply;
	const { top } = box(held);
	const fresh = [];
	for (const post of posts(page)) {
		const old = byId(post.id);
		if (!old) {
			if (noOf(post) > lastNo()) fresh.push(post);
		} else if (post.matches(".gone")) {
			old.className = post.className;
			old.innerHTML = post.innerHTML;
		} else if ($$("footer a", post).length > $$("footer a", old).length) {
			$("footer", old)?.remove();
			old.append($("footer", post));
		}
	}
	thread.append(...fresh);
	mark();
	const foreign = fresh.filter((post) => !post.matches(".mine"));
	if (foreign[0] && !unseen.size) {
		$(".new-post")?.classList.remove("new-post");
		foreign[0].classList.add("new-post");
	}
	foreign.forEach((post) => unseen.add(post));
	fresh.forEach((post) => sight.observe(post));
	scrollBy(0, box(held).top - top);
	count();
	return fresh[0];
}
function end(words) {
	told.textContent = words;
	$(".status button").remove();
}
async function ask() {
	if (!$(".status button") || document.hidden) return;
	try {
		let page = await loadEnd(thread.dataset);
		if ($(".page-tail", page) && !byId(posts(page)[1].id)) page = await load(thread.dataset.whole);
		pause = take(page) ? PAUSE : Math.min(pause * 1.5, MINUTE);
		const closed = $("#reply .empty", page);
		if (!closed) return;
		end(closed.textContent);
		if (!text.value) form.replaceWith(closed);
	} catch (error) {
		if (error === 404) return end(TEXT.gone);
		pause = Math.min(pause * 2, MINUTE);
		told.textContent = TEXT.offline;
	}
}
const update = () => asking ??= ask().finally(() => {
	asking = null;
	clearTimeout(timer);
	timer = setTimeout(update, pause);
});
const sight = new IntersectionObserver((entries) => {
	for (const { isIntersecting, target } of entries) {
		if (!isIntersecting) continue;
		sight.unobserve(target);
		for (const time of $$("time", target)) setAgo(time);
		if (!target.matches(".gone")) target.append(button("dots", "…", openMenu, TEXT.menu.replace("{n}", noOf(target))));
		if (unseen.delete(target)) count();
	}
});
const relative = new Intl.RelativeTimeFormat(root.lang || [], { style: "short" });
const UNITS = { second: 60, minute: 60, hour: 24, day: 30, month: 12, year: 1e9 };
function setAgo(time) {
	let n = Math.min(Date.parse(time.dateTime) - Date.now(), 0) / 1000;
	for (const unit in UNITS) {
		if (-n < UNITS[unit]) return time.title = time.parentNode.dataset.ago = relative.format(Math.round(n), unit);
		n /= UNITS[unit];
	}
}

function mark() {
	const own = list("own");
	const you = (e) => $(".you", e) || e.append(" ", make("span", "you", TEXT.you));
	for (const post of $$(".post[id]:not(.gone)")) {
		if (!own.has(keyOf(post))) continue;
		post.classList.add("mine");
		you($(".name", post));
	}
	for (const a of $$(".quotelink")) {
		if (!own.has(linkKey(a))) continue;
		you(a);
		a.closest(".body")?.parentNode.classList.add("answer");
	}
}

let opener;
function quote(no) {
	const picked = getSelection();
	const lines = picked.anchorNode?.parentElement?.closest(".body") ? `${picked}`.trim().replace(/^(?=.)/gm, ">") : "";
	if (!reply.matches(".floating")) {
		opener = document.activeElement;
		reply.classList.add("floating");
		reply.prepend(button("close", TEXT.close, sink));
	}
	const at = text.selectionStart;
	const words = `\n>>${no}\n${lines}${lines && "\n"}`.slice(!at || text.value[at - 1] === "\n");
	text.setRangeText(words, at, text.selectionEnd, "end");
	text.focus();
	saveDraft();
}
function sink() {
	if (!$(".floating")) return;
	reply.classList.remove("floating");
	$(".close").remove();
	opener.focus({ preventScroll: true });
}
// `#q12` answers post 12: other pages lead there.
function answerHash() {
	const post = byId(location.hash.replace("#q", "p"));
	if (!post) return;
	history.replaceState(null, "", "#" + post.id);
	goTo(post);
	if (thread && form) quote(noOf(post));
}
function notice(words, kind = "notice error") {
	$(".notice")?.remove();
	if (words) $(".send").before(make("p", kind, words, { role: "alert" }));
}
const KEPT = ["body", "subject", "nonce"];
const field = (name) => form.elements[name] ?? {};
const fill = (names, values) => names.forEach((name, i) => { field(name).value ||= values?.[i] ?? ""; });
const draftKey = () => field("board").value + "/" + field("thread").value;
const saveDraft = () => keep("drafts", draftKey(), text.value && KEPT.map((name) => field(name).value), 20);
async function send(event, body) {
	event.preventDefault();
	// One nonce until the post is there: a resend leads to the first post.
	field("nonce").value ||= crypto.getRandomValues(new Uint32Array(4)).join("-");
	saveDraft();
	body ??= new URLSearchParams(new FormData(form));
	try {
		const answer = await fetch(form.action, { method: "POST", headers: { Accept: "application/json" }, body });
		const said = await answer.json().catch(() => null);
		const { proof, message = TEXT.failed } = said?.error ?? {};
		// Only under attack: a script finds what the door wants to see, and then the form is sent again.
		if (proof) send(event, await (await import(proof.script)).default(proof, body, notice));
		else if (!answer.ok) notice(message);
		else if (said) sent(said, body);
		// What answers so may take a plain form.
		else form.submit();
	} catch {
		notice(TEXT.failed);
	}
}
async function sent({ board, thread: first, no, url, held }, body) {
	write("poster", [body.get("name"), body.get("options")]);
	for (const name of KEPT) field(name).value = "";
	saveDraft();
	notice(held ? TEXT.held : TEXT.safe, "notice");
	if (url) {
		keep("own", `${board}/${no}`, 1);
		watch(`${board}/${first}`, { whole: url.split("#")[0], title: thread ? $("h1").textContent : body.get("subject"), seen: no });
		if (!thread) location = url;
	}
	await asking;
	await update();
	pause = PAUSE;
	const post = byId("p" + no);
	if (!post) return;
	notice();
	sink();
	location.hash = post.id;
	goTo(post);
}
function forms() {
	if (!form) return;
	fill(["name", "options"], read("poster"));
	if (!text.value) fill(KEPT, list("drafts").get(draftKey()));
	form.oninput = saveDraft;
	form.onsubmit = send;
	form.onkeydown = (e) => { if (e.key === "Enter" && isChord(e)) form.requestSubmit(); };
}

// Previews stand behind their link's post, where the keyboard comes through them.
const popups = [], pages = new Map();
let pointed;
function recall(url) {
	const page = pages.get(url) ?? load(url).catch(() => pages.delete(url));
	pages.set(url, page);
	if (pages.size > 20) pages.delete(pages.keys().next().value);
	return page;
}
function closePopups(from = 0) {
	$(".highlight")?.classList.remove("highlight");
	for (const popup of popups.splice(from)) {
		popup.remove();
		popup.link.removeAttribute("aria-describedby");
	}
}
function place(e, to) {
	const at = box(to), from = box(e.offsetParent ?? root);
	const top = at.bottom + e.offsetHeight < innerHeight ? at.bottom : Math.max(0, at.top - e.offsetHeight);
	const left = Math.max(4, Math.min(at.left, root.clientWidth - e.offsetWidth - 4));
	Object.assign(e.style, { position: "absolute", inset: "auto", left: left - from.left + "px", top: top - from.top + "px" });
}
async function preview(link, level) {
	const asked = pointed;
	closePopups(level);
	let post = here(link);
	if (post && isInView(post) && !post.closest("[class*=hidden-]")) return post.classList.add("highlight");
	post ||= (await recall(link.href.split("#")[0])).getElementById?.(link.hash.slice(1));
	if (asked !== pointed || !post) return;
	const popup = make("div", "popup", "", { id: "popup" + level, link });
	const copy = post.cloneNode(true);
	copy.removeAttribute("id");
	copy.classList.remove("hidden-post", "new-post");
	for (const e of $$("button", copy)) e.remove();
	popup.append(copy);
	link.closest(".popup, .post").after(popup);
	mark();
	link.setAttribute("aria-describedby", popup.id);
	popups[level] = popup;
	place(popup, link);
}
function point({ type, target, pointerType }) {
	// A finger follows the link.
	if (pointerType === "touch" || (type === "focusin" && !target.matches(":focus-visible"))) return;
	const link = target.closest?.(".quotelink[href*='#p']");
	const level = popups.findIndex((popup) => popup.contains(target)) + 1;
	clearTimeout(pointed);
	if (link && popups[level]?.link === link) return;
	// By Tab one comes through the rest of the post.
	if (!link && type === "focusin" && popups[0]?.link.closest(".post").contains(target)) return;
	pointed = setTimeout(() => (link ? preview(link, level) : closePopups(level)), link ? 60 : 200);
}

async function showWhole(a) {
	const post = a.closest(".post");
	const whole = (await load(a.href)).getElementById(a.hash.slice(1));
	post.replaceWith(whole);
	mark();
	sight.observe(whole);
	goTo(whole);
}
async function expand(a) {
	const all = a.closest(".thread"), shown = $$(":scope > .post", all), open = !a.others;
	const others = a.others || posts(await load(a.href));
	shown[0].before(...others);
	for (const post of shown) post.remove();
	if (open) for (const post of others) sight.observe(post);
	a.others = open && shown;
	[a.textContent, a.words] = [open ? TEXT.collapse : a.words, a.textContent];
	a.ariaExpanded = open;
	$(".omitted", all).hidden = open;
	mark();
	fold();
	goTo(all);
}
function clicked(event) {
	const a = event.target.closest("a");
	if (!a || isChord(event) || event.shiftKey) return;
	const open = a.matches(".whole") ? showWhole : a.matches(".omitted ~ .expand") && expand;
	const answer = a.matches(".no") && linkKey(a);
	if (open) open(a).catch(() => { location = a.href; });
	else if (answer && !(thread && here(a))) location = a.href.replace("#p", "#q");
	else if (answer && form) quote(a.hash.slice(2));
	else return;
	event.preventDefault();
}

// Watched threads: all tabs together ask for one a minute, in turn.
const watcher = make("details", "watcher");
const watchButton = button("watch", "", () => toggleWatch(thread));
const isWatched = (host) => list("watched").get(keyOf(host));
function setWatched(key, more) {
	const old = list("watched").get(key);
	if (old) watch(key, { ...old, ...more });
}
function watch(key, value) {
	keep("watched", key, value && { unread: 0, at: Date.now(), ...value }, 50);
	showWatched();
}
function toggleWatch(host) {
	const whole = host.dataset.whole ?? $("a", host).href;
	const title = $("h1, h2", thread ? document : host).textContent;
	watch(keyOf(host), !isWatched(host) && { whole, title, seen: lastNo(host) });
}
function showWatched() {
	const all = read("watched").sort(), items = $("ul", watcher);
	const sum = all.reduce((sum, [, one]) => sum + one.unread, 0);
	$("summary", watcher).textContent = TEXT.watched + (sum ? ` (${sum})` : "");
	watcher.hidden = !all[0];
	if (thread) watchButton.textContent = isWatched(thread) ? TEXT.unwatch : TEXT.watch;
	if (items.matches(":focus-within")) return;
	items.textContent = "";
	for (const [key, { title, whole, seen, unread }] of all) {
		const item = make("li"), name = title || key;
		item.append(make("a", "", name, { href: whole + (unread ? "#p" + seen : "") }), unread ? make("span", "unread", unread) : "");
		item.append(button("unwatch", "×", () => {
			$("summary", watcher).focus();
			watch(key);
		}, TEXT.unwatch + ": " + name));
		items.append(item);
	}
}
async function poll() {
	const all = read("watched").sort(([, a], [, b]) => a.at - b.at);
	const [key, one] = all.find(([, one]) => !one.end) ?? [];
	if (!one || document.hidden || Date.now() - all.at(-1)[1].at < MINUTE) return;
	setWatched(key, { at: Date.now() });
	try {
		const page = await loadEnd(one);
		const { seen = lastNo(page) } = one;
		const { tail } = $(".thread", page).dataset;
		setWatched(key, { tail, seen, unread: posts(page).filter((post) => noOf(post) > seen).length });
	} catch (error) {
		if (error === 404) setWatched(key, { end: true });
	}
}
function watching() {
	watcher.append(make("summary"), make("ul"));
	$(".toolbar").append(thread ? watchButton : "", watcher);
	showWatched();
	if (thread) count();
	poll();
}

function hide(host, away, again) {
	host.classList.toggle(host.matches(".post") ? "hidden-post" : "hidden-thread", away);
	$(":scope > .stub", host)?.remove();
	if (away) host.prepend(button("toolbar stub", TEXT.show.replace("{n}", noOf(host)), () => hide(host, false)));
	if (again) return;
	keep("hidden", keyOf(host), away);
	goTo(host);
}
// In its own thread an opening post is always shown.
function fold() {
	const hidden = list("hidden");
	for (const host of $$("article.thread, [data-replies], .post[id]:not(.op)")) if (hidden.has(keyOf(host))) hide(host, true, true);
}
const menu = make("div", "menu", "", { popover: "auto", onclick: () => menu.hidePopover() });
function openMenu({ target }) {
	const host = target.parentNode, a = $(".no, h2 a", host);
	const all = host.matches(".card") ? host : !thread && host.matches(".op") && host.parentNode;
	const act = (words, does) => menu.append(button("", words, does));
	menu.textContent = "";
	if (a.matches(".no") && (form || !thread)) act(TEXT.quote, () => a.click());
	if (all) act(isWatched(all) ? TEXT.unwatch : TEXT.watch, () => toggleWatch(all));
	if (all || !host.matches(".op")) act(TEXT.hide, () => hide(all || host, true));
	if (navigator.clipboard) act(TEXT.copy, () => navigator.clipboard.writeText(a.href));
	target.after(menu);
	menu.showPopover();
	place(menu, target);
	menu.firstChild.focus();
}
function menus() {
	fold();
	for (const host of $$(".post[id], [data-replies]")) sight.observe(host);
}

function catalog() {
	const [filter, order] = $$(".catalog-tools [disabled]"), all = $$(".card");
	if (!filter) return;
	filter.disabled = order.disabled = false;
	filter.oninput = () => all.forEach((card) => {
		const has = (card.dataset.board + card.textContent).toLowerCase();
		card.hidden = !filter.value.toLowerCase().split(/\s+/).every((word) => has.includes(word));
	});
	order.onchange = () => {
		const by = order.value;
		write("sort", by);
		all[0].parentNode.append(...[...all].sort((a, b) => b.dataset[by] - a.dataset[by] || 0));
	};
	order.value = read("sort", "bump");
	order.onchange();
}

const hosts = () => (thread ? posts() : $$("article.thread, [data-replies]:not([hidden])"));
const nearest = () => hosts().find((host) => host.matches(":focus-within") && isInView(host)) ?? hosts().find(isInView);
const move = (step) => goTo(hosts()[hosts().indexOf(nearest()) + step]);
const visit = (nth) => $(`.bar li:nth-child(${nth}) a`)?.click();
const KEYS = {
	j: () => move(1),
	k: () => move(-1),
	n: () => goTo([...unseen][0]),
	r: () => $(".no", nearest())?.click(),
	w: () => toggleWatch(thread ?? nearest()),
	h: () => nearest().matches(".op") || hide(nearest(), true),
	u: () => $(".status button")?.click(),
	c: () => visit(2),
	i: () => visit(1),
	"/": () => $("[type=search]")?.focus(),
	"?": help,
};
function help() {
	const sheet = make("dialog", "help", "", { ariaLabel: TEXT.help, onclose: () => sheet.remove() });
	sheet.innerHTML = `<h2>${TEXT.help}</h2>
<label><input type="checkbox" name="keys"${read("keys", true) ? " checked" : ""}> ${TEXT.keys}</label>
<dl>${Object.entries(TEXT.keyList).map(([key, words]) => `<dt><kbd>${key}</kbd></dt><dd>${words}</dd>`).join("")}</dl>
<form method="dialog"><button>${TEXT.close}</button></form>`;
	document.body.append(sheet);
	sheet.showModal();
}
function pressed(event) {
	const { key, target } = event;
	if (key === "Escape") return popups[0] || $(".highlight") ? closePopups() : sink();
	if (isChord(event) || target.closest("input, textarea, select, dialog, .menu") || !KEYS[key] || !read("keys", true)) return;
	event.preventDefault();
	KEYS[key]();
}

// On one's own machine, where the door says which theme it has, a page is loaded anew once a theme has changed it.
let first;
async function reloadIfThemed() {
	if (document.hidden) return;
	const { headers } = await fetch(location.href, { method: "HEAD", cache: "no-cache" });
	const now = ["nejiboard-theme", "etag"].map((name) => headers.get(name));
	first ??= now;
	if (now[0] !== first[0] && now[1] !== first[1]) location.reload();
}

function start() {
	[thread, reply, form] = [$("div.thread"), $("#reply"), $(".post-form")];
	text = form?.elements.body;
	$(".status")?.append(told, button("", TEXT.check, update));
	timer = setTimeout(update, pause);
	for (const part of [setStyle, mark, watching, menus, forms, answerHash, catalog]) queueMicrotask(part);
	$(".foot").append(button("help-button", TEXT.help + " (?)", help));
	addEventListener("focusin", point);
	onkeydown = pressed;
	onclick = clicked;
	onpointerover = point;
	onhashchange = answerHash;
	onchange = ({ target: { name, value, checked } }) => {
		if (name === "style") write(name, root.dataset.style = value);
		if (name === "keys") write(name, checked);
	};
	onstorage = () => {
		setStyle();
		showWatched();
	};
	document.onvisibilitychange = () => {
		update();
		poll();
	};
	if (/^(localhost|127\.|\[::1)/.test(location.hostname)) {
		const look = () => reloadIfThemed().catch(() => 0);
		look();
		setInterval(look, 1000);
	}
	setInterval(() => {
		poll();
		for (const time of $$("time[title]")) setAgo(time);
	}, MINUTE);
}
if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
else start();
