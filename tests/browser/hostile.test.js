// Lists of attacks, posted as text, names and subjects. Nothing may run, nothing may be fetched, and nothing but the
// elements and attributes that a post can have may be in the page.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { go, launch, leave, visitor } from './lib/browser.js';
import { Site, sample } from './lib/site.js';

let browser, site;
before(async () => {
  site = await Site.open();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site?.close();
});

const REPLIES_PER_THREAD = 150;
const AT_ONCE = 24;

/** A few of our own, so that there is something to try where the samples are absent. */
const OUR_OWN = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '[a](javascript:alert(1))',
  '<a href="javascript:alert(1)">a</a>',
  '"><svg onload=alert(1)>',
  "'-alert(1)-'",
  '</textarea><script>alert(1)</script>',
  '{{#each this}}{{{this}}}{{/each}}',
  '![a](x"onerror="alert(1))',
  'https://a.example/"onmouseover="alert(1)',
  '[code]</pre><script>alert(1)</script>[/code]',
  '[spoiler]<style>*{color:red}</style>[/spoiler]',
  '>><script>alert(1)</script>',
  '\u2028<iframe src="https://b.example">\u0000',
];

function payloads() {
  const lines = (text) => text?.split('\n').filter((line) => line.trim() !== '') ?? [];
  const objects = (text) => (text === null ? [] : JSON.parse(text).map((one) => one.payload));
  const all = [
    ...OUR_OWN,
    ...lines(sample('xss/payloadbox-dev.txt')),
    ...lines(sample('xss/markdown-payloads.txt')),
    ...objects(sample('xss/h5sc-vectors.json')),
    ...objects(sample('xss/dompurify-expect.json')),
  ];
  // The same text twice from one address is one post, and no browser sends a NUL.
  return [...new Set(all.map((text) => text.replaceAll('\0', '').trimEnd()).filter((text) => text !== ''))];
}

/** Posts all, several at once, a thread for each batch; gives the threads' numbers. */
async function postAll(all) {
  const threads = [];
  for (let from = 0; from < all.length; from += REPLIES_PER_THREAD) {
    const batch = all.slice(from, from + REPLIES_PER_THREAD);
    const { thread } = await take(fieldsOf(batch[0]));
    threads.push(thread);
    const waiting = batch.slice(1);
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      for (let text = waiting.shift(); text !== undefined; text = waiting.shift()) {
        await take({ ...fieldsOf(text), thread });
      }
    }));
  }
  return threads;
}

function fieldsOf(text) {
  const cut = (length) => [...text].slice(0, length).join('');
  return { board: 'art', subject: cut(120), name: cut(60), body: text };
}

async function take(fields) {
  const answer = await site.post(fields);
  assert.ok(answer.url || answer.safe, `${JSON.stringify(answer)} for ${fields.body}`);
  return answer;
}

/** What is in the posts of a page that the vocabulary of comments, the theme and its script do not have. */
function strangers() {
  const known = {
    A: ['href', 'class', 'rel', 'dir'], ARTICLE: ['class', 'id'], BDI: ['class'], BR: [],
    BUTTON: ['class', 'type', 'aria-label'], CODE: [], DIV: ['class', 'dir'], EM: [], FOOTER: [], HEADER: ['data-ago'],
    LI: [], OL: ['start'], PRE: ['class'], S: [], SPAN: ['class'], STRONG: ['class'], TIME: ['datetime', 'title'], UL: [],
  };
  const classes = ['post', 'op', 'subject', 'name', 'trip', 'no', 'mark', 'body', 'quote', 'quotelink', 'deadlink',
    'prettyprint', 'sjis', 'ascii', 'dots', 'highlight'];
  const art = { tabindex: '0', role: 'img', 'aria-label': 'Text art' };
  const isArt = (e, name) => e.matches('span.sjis') && art[name] === e.getAttribute(name);
  const strange = (e) => !known[e.tagName]
    || (e.tagName === 'BUTTON' && !e.matches('.post > .dots'))
    || e.getAttributeNames().some((name) => !known[e.tagName].includes(name) && !isArt(e, name))
    || [...e.classList].some((name) => !classes.includes(name))
    || (e.href !== undefined && !/^https?:\/\//.test(e.href))
    || (e.id !== '' && !/^p\d+$/.test(e.id));
  return [...document.querySelectorAll('.post, .post *')].filter(strange).map((e) => e.outerHTML.slice(0, 300));
}

/** Moves the pointer and the focus as readers do, so that handlers would have their chance. */
async function touch(page) {
  await page.evaluate(() => {
    for (const e of document.querySelectorAll('body *')) {
      for (const type of ['mouseover', 'pointerenter', 'focus', 'animationend', 'transitionend', 'toggle', 'scroll']) {
        e.dispatchEvent(new Event(type, { bubbles: true }));
      }
    }
  });
}

/** Makes a call of what attacks call a fault of the page. */
async function trap(page) {
  await page.addInitScript(() => {
    for (const name of ['alert', 'confirm', 'prompt', 'print', 'open']) {
      window[name] = (...words) => console.error(`${name}(${words})`);
    }
  });
}

async function tryPage(page, to) {
  await go(page, site, to);
  if (to.endsWith('.html')) {
    assert.deepEqual(await page.evaluate(strangers), [], to);
    await touch(page);
  }
  await page.waitForTimeout(100);
}

test('the trap of these tests shuts', async () => {
  for (const attack of ['<img src=x onerror=alert(1)>', '<img src="http://192.0.2.1/x">', '<b onmouseover="nothing()">b']) {
    const page = await visitor(browser, site, { javaScriptEnabled: true, bypassCSP: true });
    await trap(page);
    await go(page, site, 'art/thread/1.html');
    await page.locator('#p1 .body').evaluate((e, html) => { e.innerHTML = html; }, attack);
    assert.equal((await page.evaluate(strangers)).length, 1, attack);
    await touch(page);
    await page.waitForTimeout(200);
    assert.notDeepEqual(page.faults, [], attack);
    await page.context().close();
  }
});

test('nothing that strangers post runs, fetches or becomes an element', async () => {
  const all = payloads();
  const threads = await postAll(all);
  const pages = site.files('.html').filter((name) => /^index|^art\//.test(name));
  for (const no of threads) assert.ok(pages.includes(`art/thread/${no}.html`), `thread ${no}`);
  // Feeds and the read API can be opened in a browser too.
  const others = [...site.files('.xml'), ...site.files('.json'), ...site.files('.txt')];
  // With the site's policy, of which nothing may even make use, and without it, since the pages must be safe alone.
  for (const bypassCSP of [false, true]) {
    const page = await visitor(browser, site, { javaScriptEnabled: true, bypassCSP });
    await trap(page);
    for (const to of pages) await tryPage(page, to);
    for (const to of others) await go(page, site, to);
    await leave(page);
  }
  const page = await visitor(browser, site);
  let posts = 0;
  for (const no of threads) {
    await go(page, site, `art/thread/${no}.html`);
    posts += await page.locator('.post').count();
  }
  assert.equal(posts, all.length, 'every post is there');
  await leave(page);
});

test('a refused form with hostile fields gives them back as text', async () => {
  const page = await visitor(browser, site, { javaScriptEnabled: true, bypassCSP: true });
  for (const text of payloads().slice(0, 60)) {
    const typed = { subject: text.replaceAll(/[\n\r]/g, ' '), body: text + '\n.'.repeat(450) };
    await go(page, site, 'art/thread/1.html');
    await page.locator('.post-form').evaluate((form, fields) => {
      for (const input of form.elements) input.removeAttribute('maxlength');
      for (const [name, value] of Object.entries(fields)) form.elements[name].value = value;
      form.submit();
    }, { ...typed, name: 'x' });
    await page.waitForURL(/\/post$/);
    assert.equal(await page.locator('[name=body]').inputValue(), typed.body);
    assert.equal(await page.locator('main script, main img, main svg, main iframe').count(), 0);
  }
  await leave(page);
});
