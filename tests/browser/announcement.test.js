// The announcement that a board's owner wrote in plain text, posted as it is.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { go, launch, leave, overflow, send, shoot, visitor } from './lib/browser.js';
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

test('an announcement in plain text looks as its author meant it', async () => {
  const text = sample('announcement.txt');
  if (text === null) return;
  const page = await visitor(browser, site, { width: 360 });
  await go(page, site, 'meta/');
  await page.locator('.new summary').click();
  await send(page, { subject: 'migrate to Elixir & Erlang VM!', body: text });
  await page.waitForURL(/\/meta\/thread\/\d+\.html#p\d+$/);
  const body = page.locator('.post:target .body');
  const lines = text.split('\n').map((line) => line.trim());

  const green = lines.filter((line) => line.startsWith('>'));
  assert.deepEqual(await body.locator('.quote').allInnerTexts(), green);
  const urls = text.match(/https:\S+/g);
  assert.ok(urls.length >= 3);
  assert.deepEqual(await body.locator('a').evaluateAll((all) => all.map((a) => a.href)), urls);
  for (const rel of await body.locator('a').evaluateAll((all) => all.map((a) => a.rel))) {
    assert.equal(rel, 'nofollow ugc noopener noreferrer');
  }
  assert.deepEqual(await body.locator('ol > li').allInnerTexts(), itemsOf(lines, /^\d\. /));
  assert.deepEqual(await body.locator('ul > li').allInnerTexts(), itemsOf(lines, /^- /));

  const shown = await body.innerText();
  for (const emoji of text.match(/\p{Extended_Pictographic}/gu)) assert.ok(shown.includes(emoji), emoji);
  for (const line of lines.filter((line) => !/^(\d\.|-) /.test(line))) assert.ok(shown.includes(line), line);

  for (const colorScheme of ['light', 'dark']) {
    for (const width of [360, 768, 1440]) {
      await page.setViewportSize({ width, height: 800 });
      await page.emulateMedia({ colorScheme });
      assert.equal(await overflow(page), null);
      await shoot(page, `announcement-${width}-${colorScheme}`);
    }
  }
  await page.setViewportSize({ width: 360, height: 800 });
  for (const to of ['meta/index.html', 'meta/catalog.html', 'index.html']) {
    await go(page, site, to);
    assert.equal(await overflow(page), null, to);
    await shoot(page, `announcement-on-${to.replaceAll(/\W/g, '-')}`);
  }
  await leave(page);
});

/** The lines of a list, without their marks. */
function itemsOf(lines, mark) {
  return lines.filter((line) => mark.test(line)).map((line) => line.replace(mark, ''));
}
