import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { go, launch, leave, send, visitor } from './lib/browser.js';
import { Site } from './lib/site.js';

let browser, site;
before(async () => {
  site = await Site.open();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site?.close();
});

/** The post that the page has jumped to. */
const mine = (page) => page.locator('.post:target');

async function isInView(locator) {
  const box = await locator.boundingBox();
  const { height } = locator.page().viewportSize();
  return box.y >= 0 && box.y < height;
}

/** The numbers of the threads on a board's first page, in order. */
const order = (page) => page.locator('article.thread > .quiet').evaluateAll((all) => all.map((e) => e.id));

test('a visitor starts a thread from the form and lands on it', async () => {
  const page = await visitor(browser, site);
  await go(page, site, 'tech/');
  await page.locator('.new summary').click();
  await send(page, { name: 'Kim', subject: 'A new <subject> & more', body: 'First line\n>greentext\n**bold**' });
  await page.waitForURL(/\/tech\/thread\/(\d+)\.html#p\1$/);
  assert.equal(await page.locator('h1').textContent(), 'A new <subject> & more');
  assert.equal(await mine(page).locator('.name').textContent(), 'Kim');
  assert.equal(await mine(page).locator('.body').innerText(), 'First line\n>greentext\nbold');
  const title = await page.title();
  assert.ok(title.startsWith('A new <subject> & more'), title);
  await go(page, site, 'tech/');
  assert.equal(await page.locator('article.thread .subject').first().textContent(), 'A new <subject> & more');
  await go(page, site, '');
  assert.equal(await page.locator('#latest + .rows a').first().textContent(), 'A new <subject> & more');
  await leave(page);
});

test('a reply lands on its own anchor, with a link to the post it quotes and a link back', async () => {
  const page = await visitor(browser, site, { width: 360, height: 640 });
  await go(page, site, 'meta/thread/4.html');
  await send(page, { body: '>>7\nI have the screw' });
  await page.waitForURL(/\/meta\/thread\/4\.html#p\d+$/);
  const id = await mine(page).getAttribute('id');
  assert.ok(await isInView(mine(page)), 'the new post is on the screen');
  assert.equal(new URL(page.url()).hash, `#${id}`);
  assert.equal(await mine(page).locator('.name').textContent(), 'Anonymous');
  await mine(page).locator('.body a').click();
  assert.equal(await mine(page).getAttribute('id'), 'p7');
  await mine(page).locator(`footer a[href$="#${id}"]`).click();
  assert.equal(await mine(page).getAttribute('id'), id);
  await leave(page);
});

test('a reply lifts its thread, a sage reply leaves it where it is', async () => {
  const page = await visitor(browser, site);
  await go(page, site, 'art/');
  const before = await order(page);
  const last = before.at(-1).slice(1);
  const reply = async (options) => {
    await go(page, site, `art/thread/${last}.html`);
    await send(page, { options, body: `options were: ${options}` });
    await page.waitForURL(/#p\d+$/);
    await go(page, site, 'art/');
  };
  await reply('sage');
  assert.deepEqual(await order(page), before);
  assert.equal(await page.locator('article.thread').last().locator('.mark', { hasText: 'sage' }).count() > 0, true);
  await reply('');
  assert.deepEqual(await order(page), [`t${last}`, ...before.filter((id) => id !== `t${last}`)]);
  await leave(page);
});

test('what was typed is kept when a post has too many lines, and can be sent again', async () => {
  const page = await visitor(browser, site);
  await go(page, site, 'tech/thread/5.html');
  const body = `  <b>indent</b> & ünïcode\n${'line\n'.repeat(500)}end`;
  const typed = { name: 'Ann "quoted" <i>', options: 'sage', body };
  await send(page, typed);
  await page.locator('text=The body is too long: 502 of at most 400 lines.').waitFor();
  // The sentence stands above the form, of which a slow machine may have only a part by then.
  await page.waitForLoadState();
  assert.equal(page.url(), `${site.url}post`);
  for (const [name, text] of Object.entries(typed)) {
    assert.equal(await page.locator(`[name=${name}]`).inputValue(), text);
  }
  await send(page, { body: 'shorter' });
  await page.waitForURL(/\/tech\/thread\/5\.html#p\d+$/);
  assert.equal(await mine(page).locator('.body').innerText(), 'shorter');
  assert.equal(await mine(page).locator('.name').textContent(), 'Ann "quoted" <i>');
  await leave(page);
});

test('what was typed is kept when the thread was locked meanwhile', async () => {
  const page = await visitor(browser, site);
  const { thread } = await site.post({ board: 'tech', subject: 'To be locked', body: 'one' });
  await go(page, site, `tech/thread/${thread}.html`);
  site.edit(`tech/${thread}.md`, (text) => text.replace('"subject"', '"locked": true, "subject"'));
  const reader = await visitor(browser, site);
  for (let tries = 0; tries < 100; tries += 1) {
    await go(reader, site, `tech/thread/${thread}.html`);
    if (await reader.locator('text=it takes no replies').count()) break;
    await reader.waitForTimeout(100);
  }
  assert.equal(await reader.locator('.post-form').count(), 0, 'a locked thread has no form');
  await leave(reader);
  await send(page, { body: '\n\nthis took me an hour' });
  await page.locator('text=This thread is locked.').waitFor();
  assert.equal(await page.locator('[name=body]').inputValue(), '\n\nthis took me an hour');
  await leave(page);
});

test('an empty post is stopped by the browser, and a blank one is refused', async () => {
  const page = await visitor(browser, site);
  await go(page, site, 'tech/thread/1.html');
  await page.locator('.post-form button').click();
  assert.equal(page.url(), `${site.url}tech/thread/1.html`);
  assert.equal(await page.locator('[name=body]:invalid').count(), 1);
  await send(page, { body: ' \n\u3000' });
  await page.locator('text=A post needs some text.').waitFor();
  await leave(page);
});

/** Presses Tab until `locator` has the focus. */
async function tabTo(page, locator) {
  for (let presses = 1; presses <= 120; presses += 1) {
    await page.keyboard.press('Tab');
    if (await locator.evaluate((e) => e === document.activeElement)) return presses;
  }
  throw new Error('the focus never came there');
}

test('a reply is written with the keyboard alone', async () => {
  const page = await visitor(browser, site);
  await go(page, site, 'tech/thread/5.html');
  await tabTo(page, page.locator('.skip'));
  assert.ok(await isInView(page.locator('.skip')), 'the way past the navigation is seen when it has the focus');
  await page.keyboard.press('Enter');
  await tabTo(page, page.locator('main > .info a[href="#reply"]'));
  await page.keyboard.press('Enter');
  assert.ok((await tabTo(page, page.locator('[name=body]'))) <= 4, 'the text is near');
  assert.notEqual(await page.locator('[name=body]').evaluate((e) => getComputedStyle(e).outlineStyle), 'none');
  await page.keyboard.type('typed without a mouse');
  // The password, by which it can be taken back, stands between.
  assert.equal(await tabTo(page, page.locator('.post-form button')), 2);
  await page.keyboard.press('Enter');
  await page.waitForURL(/#p\d+$/);
  assert.equal(await mine(page).locator('.body').innerText(), 'typed without a mouse');
  await leave(page);
});

test('a thread is started with the keyboard alone', async () => {
  const page = await visitor(browser, site);
  await go(page, site, 'meta/catalog.html');
  await tabTo(page, page.locator('.new summary'));
  await page.keyboard.press('Enter');
  await tabTo(page, page.locator('[name=subject]'));
  await page.keyboard.type('Keys');
  await tabTo(page, page.locator('[name=body]'));
  await page.keyboard.type('one');
  await page.keyboard.press('Enter');
  await page.keyboard.type('two');
  await tabTo(page, page.locator('.post-form button'));
  await page.keyboard.press('Space');
  await page.waitForURL(/\/meta\/thread\/(\d+)\.html#p\1$/);
  assert.equal(await mine(page).locator('.body').innerText(), 'one\ntwo');
  await leave(page);
});
