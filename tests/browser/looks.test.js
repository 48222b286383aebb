// The looks: styles without script, narrow screens, art in its font, and nothing that moves while a page loads.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { go, launch, leave, overflow, visitor } from './lib/browser.js';
import { KINDS, STYLES } from './lib/kinds.js';
import { REPOSITORY, Site } from './lib/site.js';

let browser, site;
before(async () => {
  site = await Site.open();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site?.close();
});

const ground = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);

test('each style has its own colours, chosen without script', async () => {
  const seen = {};
  for (const colorScheme of ['light', 'dark']) {
    const page = await visitor(browser, site, { colorScheme });
    await go(page, site, 'tech/');
    for (const style of STYLES) {
      await page.locator(`[name=style][value=${style}]`).check();
      seen[`${style}, ${colorScheme}`] = await ground(page);
    }
    await leave(page);
  }
  const [day, night] = [seen['auto, light'], seen['auto, dark']];
  const [classic, textboard] = [seen['classic, light'], seen['textboard, light']];
  assert.equal(new Set([day, night, classic, textboard]).size, 4);
  assert.deepEqual(seen, {
    'auto, light': day, 'day, light': day, 'night, light': night, 'classic, light': classic, 'textboard, light': textboard,
    'auto, dark': night, 'day, dark': day, 'night, dark': night, 'classic, dark': classic, 'textboard, dark': textboard,
  });
});

test('a script chooses a style by an attribute of the root', async () => {
  const page = await visitor(browser, site, { javaScriptEnabled: true });
  await go(page, site, 'tech/');
  for (const style of ['day', 'night', 'classic', 'textboard']) {
    await page.evaluate((style) => { document.documentElement.dataset.style = style; }, style);
    const by = await ground(page);
    await page.evaluate(() => { document.documentElement.dataset.style = 'auto'; });
    await page.locator(`[name=style][value=${style}]`).evaluate((e) => { e.checked = true; });
    assert.equal(by, await ground(page), style);
    await page.locator('[name=style][value=auto]').evaluate((e) => { e.checked = true; });
  }
  await leave(page);
});

for (const width of [320, 360]) {
  for (const style of STYLES) {
    test(`nothing sticks out: ${width} px, ${style}`, async () => {
      const page = await visitor(browser, site, { width, hasTouch: true, isMobile: true });
      for (const [name, come] of Object.entries(KINDS)) {
        await come(page, site);
        await page.locator(`[name=style][value=${style}]`).check();
        assert.equal(await overflow(page), null, name);
      }
      await leave(page);
    });
  }
}

test('fingers have 44 pixels for what is pressed', async () => {
  const page = await visitor(browser, site, { width: 360, hasTouch: true, isMobile: true });
  for (const name of ['home', 'open form', 'thread', 'catalog']) {
    await KINDS[name](page, site);
    const small = await page.evaluate(() => {
      const pressed = 'nav a, summary, button, .post-form input:not([type=hidden]), textarea, .styles label, .foot p a, .rows li > a';
      const low = (e) => e.getClientRects().length > 0 && e.getBoundingClientRect().height < 44;
      return [...document.querySelectorAll(pressed)].filter(low).map((e) => e.outerHTML.slice(0, 100));
    });
    assert.deepEqual(small, [], name);
  }
  await leave(page);
});

test('nothing moves while a page loads', async () => {
  for (const width of [360, 1440]) {
    const page = await visitor(browser, site, { width, javaScriptEnabled: true, bypassCSP: true });
    await page.addInitScript(() => {
      window.shift = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) window.shift += entry.value;
      }).observe({ type: 'layout-shift', buffered: true });
    });
    for (const [name, come] of Object.entries(KINDS)) {
      // What a click moves is no fault.
      if (name === 'open form' || name === 'refused') continue;
      await come(page, site);
      await page.evaluate(() => document.fonts.ready);
      await page.waitForTimeout(150);
      assert.equal(await page.evaluate(() => window.shift), 0, `${name}, ${width} px`);
    }
    await leave(page);
  }
});

test('the font of art is fetched where there is art, and nowhere else', async () => {
  const page = await visitor(browser, site);
  const fetched = [];
  page.on('request', (request) => fetched.push(new URL(request.url()).pathname));
  for (const [kind, wanted] of [['home', 0], ['index', 0], ['catalog', 0], ['thread of art', 1]]) {
    fetched.length = 0;
    await KINDS[kind](page, site);
    await page.waitForTimeout(300);
    assert.equal(fetched.filter((name) => name.endsWith('.woff2')).length, wanted, kind);
    for (const style of STYLES) await page.locator(`[name=style][value=${style}]`).check();
    await page.waitForTimeout(100);
    assert.equal(fetched.filter((name) => name.endsWith('.woff2')).length, wanted, `${kind}, in all styles`);
  }
  await leave(page);
});

// Widths in pixels at 16 pixels a sign. Art is drawn by counting them, and they are those of MS PGothic.
const WIDTHS = {
  ' ': 5, '　': 11, '＿': 16, '￣': 16, '∧': 16, '∀': 16, '´': 8, '｀': 8, '|': 4, 'ｱ': 10, '─': 16, '（': 8, 'i': 3, 'W': 11,
};

test('signs of art are as wide as they are drawn for, on lines of 18 pixels', async () => {
  const line = (sign) => `[aa]\n${sign.repeat(10)}・\n・\n[/aa]`;
  const folder = path.join(site.dir, 'content/art');
  const posts = Object.keys(WIDTHS).map((sign, at) => `--- {"no": ${900 + at}}\n${line(sign)}\n`);
  fs.writeFileSync(path.join(folder, '900.md.draft'), posts.join('\n'));
  fs.renameSync(path.join(folder, '900.md.draft'), path.join(folder, '900.md'));
  const page = await visitor(browser, site, { javaScriptEnabled: true, bypassCSP: true });
  for (let tries = 0; tries < 50; tries += 1) {
    if ((await fetch(new URL('art/thread/900.html', site.url))).ok) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await go(page, site, 'art/thread/900.html');
  await page.evaluate(() => document.fonts.ready);
  const found = await page.evaluate(() => [...document.querySelectorAll('.sjis')].map((art) => {
    const range = document.createRange();
    const width = (from, to) => {
      range.setStart(art.firstChild, from);
      range.setEnd(art.firstChild, to);
      return range.getBoundingClientRect().width;
    };
    return { width: width(0, 10) / 10, height: art.getBoundingClientRect().height, image: art.getAttribute('role') };
  }));
  const wanted = Object.values(WIDTHS).map((width) => ({ width, height: 2 * 18 + 2, image: 'img' }));
  assert.deepEqual(found, wanted);
  await leave(page);
});

test('art that is wider than a phone is scrolled with the keyboard', async () => {
  const page = await visitor(browser, site, { width: 320, javaScriptEnabled: true, bypassCSP: true });
  await go(page, site, 'art/thread/1.html');
  const art = page.locator('.sjis').first();
  await art.evaluate((e) => { e.textContent = '/\\'.repeat(200); });
  await art.focus();
  await page.keyboard.press('ArrowRight');
  await page.waitForTimeout(500);
  assert.ok(await art.evaluate((e) => e.scrollLeft > 0), 'it has moved');
  await leave(page);
});

test('a spoken name and no sign: how a screen reader meets art', async () => {
  const page = await visitor(browser, site);
  await go(page, site, 'art/thread/1.html');
  await page.getByRole('img', { name: 'Text art' }).first().waitFor();
  assert.equal(await page.getByRole('img').count(), await page.locator('.sjis').count());
  await leave(page);
});

test('on paper there is ink on white, whatever the style', async () => {
  const page = await visitor(browser, site, { colorScheme: 'dark' });
  await go(page, site, 'tech/thread/1.html');
  await page.locator('[name=style][value=night]').check();
  await page.emulateMedia({ media: 'print', colorScheme: 'light' });
  const [text, ...shown] = await page.evaluate(() => [
    getComputedStyle(document.querySelector('.body')).color,
    ...['.top nav', '.reply', '.foot'].map((name) => getComputedStyle(document.querySelector(name)).display),
  ]);
  assert.deepEqual(shown, ['none', 'none', 'none']);
  assert.ok(text.match(/\d+/g).every((part) => Number(part) < 80), text);
  await leave(page);
});

test('the style sheet fetches one thing, and both are small', async () => {
  const assets = path.join(REPOSITORY, 'themes/default/assets');
  const page = await visitor(browser, site);
  await go(page, site, 'index.html');
  const href = await page.evaluate(() => document.querySelector('link[rel=stylesheet]').href);
  assert.ok((await (await fetch(href)).arrayBuffer()).byteLength <= 20_000);
  await leave(page);
  assert.ok(fs.statSync(path.join(assets, 'mona.woff2')).size <= 100_000);
});
