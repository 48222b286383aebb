import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { go, launch, leave, overflow, shoot, visitor } from './lib/browser.js';
import { KINDS } from './lib/kinds.js';
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

test('a reader goes from the home page to a board to a thread and back', async () => {
  const page = await visitor(browser, site);
  await go(page, site, '');
  await page.locator('main').getByRole('link', { name: '/tech/ Technology', exact: true }).click();
  assert.equal(page.url(), `${site.url}tech/index.html`);
  const thread = page.locator('article.thread', { hasText: 'Posting by dropping a file' });
  const next = page.getByRole('link', { name: 'Next' });
  while (!(await thread.count())) await next.click();
  await thread.getByRole('link', { name: 'View thread' }).click();
  assert.equal(page.url(), `${site.url}tech/thread/1.html`);
  assert.equal(await page.locator('h1').textContent(), 'Posting by dropping a file');
  await page.getByRole('link', { name: 'Catalog' }).click();
  assert.equal(page.url(), `${site.url}tech/catalog.html`);
  await page.locator('.site').click();
  assert.equal(page.url(), `${site.url}index.html`);
  await leave(page);
});

test('a quote leads to the post it names, also on another board, and the way back is on the page', async () => {
  const page = await visitor(browser, site);
  await go(page, site, 'meta/thread/4.html');
  await page.locator('#p8 .body a', { hasText: '>>5' }).click();
  assert.equal(new URL(page.url()).hash, '#p5');
  await page.locator('#p5 footer a', { hasText: '>>8' }).click();
  assert.equal(new URL(page.url()).hash, '#p8');
  await page.locator('#p4 .body a', { hasText: '>>>/tech/3' }).click();
  assert.match(page.url(), /\/tech\/thread\/1\.html#p3$/);
  assert.equal(await page.locator(':target').getAttribute('id'), 'p3');
  await leave(page);
});

test('an address where nothing is gives a page that leads on', async () => {
  const page = await visitor(browser, site);
  for (const to of ['nothing', 'tech/thread/999.html', 'tech/%2e%2e/%2e%2e/content/site.yaml', '.nejiboard/secret']) {
    await go(page, site, to, 404);
    assert.equal(await page.locator('h1').textContent(), 'Not found');
  }
  await page.getByRole('link', { name: 'To all boards' }).click();
  assert.equal(page.url(), `${site.url}index.html`);
  await leave(page);
});

/** The colour of the text inside a spoiler's box, with its opacity; 0 where it is not to be read. */
const opacity = (spoiler) => spoiler.evaluate((e) => {
  const parts = getComputedStyle(e).color.match(/[\d.]+/g).map(Number);
  return parts.length === 4 ? parts[3] : 1;
});

test('a spoiler can be read under the pointer, and by keyboard, but not in passing', async () => {
  const page = await visitor(browser, site);
  await go(page, site, 'meta/thread/4.html');
  const spoiler = page.locator('#p8 s');
  assert.equal(await opacity(spoiler), 0, 'closed');
  await spoiler.hover();
  assert.equal(await opacity(spoiler), 1, 'under the pointer');
  await page.mouse.move(0, 0);
  await page.locator('#p8 .no').focus();
  assert.equal(await opacity(spoiler), 0, 'in passing');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  assert.equal(await opacity(spoiler), 1, 'after the number and Tab');
  await leave(page);
});

for (const colorScheme of ['light', 'dark']) {
  for (const width of [360, 768, 1440]) {
    test(`no page is wider than its window: ${width} px, ${colorScheme}`, async () => {
      const page = await visitor(browser, site, { width, colorScheme });
      for (const [name, come] of Object.entries(KINDS)) {
        await come(page, site);
        assert.equal(await overflow(page), null, name);
        await shoot(page, `${name.replaceAll(' ', '-')}-${width}-${colorScheme}`);
      }
      await leave(page);
    });
  }
}

test('art keeps its columns, and does not break the page', async () => {
  const page = await visitor(browser, site, { width: 360 });
  await go(page, site, 'art/thread/1.html');
  const drawing = page.locator('#p2 .sjis.ascii');
  assert.match(await drawing.innerText(), /^ {11}\|\\\n {11}\| \\\n {11}\|  \\\n[^]*~~~\\_+\/~~~/);
  const widths = await drawing.evaluate((e) => ['i', 'M', ' '].map((sign) => {
    const probe = e.cloneNode();
    probe.style.display = 'inline-block';
    probe.textContent = sign.repeat(20);
    e.after(probe);
    const { width } = probe.getBoundingClientRect();
    probe.remove();
    return width;
  }));
  assert.deepEqual(widths, widths.map(() => widths[0]), 'all signs are equally wide');
  assert.equal(await page.locator('#p3 .sjis').evaluate((e) => getComputedStyle(e).whiteSpace), 'pre');
  await leave(page);
});

test('an empty line above or below a drawing is one empty line', async () => {
  const page = await visitor(browser, site);
  await go(page, site, 'meta/thread/1.html');
  const gaps = await page.locator('#p1 .sjis').evaluate((art) => {
    const of = (node) => {
      const range = document.createRange();
      range.selectNodeContents(node);
      return range.getBoundingClientRect();
    };
    const nextText = (node, step) => {
      do node = node[step]; while (node.nodeType !== Node.TEXT_NODE || node.data.trim() === '');
      return node;
    };
    const [above, below] = [of(nextText(art, 'previousSibling')), of(nextText(art, 'nextSibling'))];
    const line = parseFloat(getComputedStyle(art.parentNode).lineHeight);
    const drawing = art.getBoundingClientRect();
    return [drawing.top - above.bottom, below.top - drawing.bottom].map((gap) => gap / line);
  });
  for (const gap of gaps) assert.ok(gap > 0.8 && gap < 1.5, `${gaps} lines`);
  await leave(page);
});

test('pages hold no script but the theme\'s, no style of their own and no handler', async () => {
  const page = await visitor(browser, site);
  for (const [name, come] of Object.entries(KINDS)) {
    await come(page, site);
    const found = await page.evaluate(() => [...document.querySelectorAll('*')]
      .filter((e) => (['SCRIPT', 'STYLE', 'IFRAME', 'OBJECT', 'EMBED'].includes(e.tagName)
        && !e.matches('head > script[src^="/assets/board."]:empty'))
        || e.getAttributeNames().some((name) => name === 'style' || name.startsWith('on')))
      .map((e) => e.outerHTML));
    assert.deepEqual(found, [], name);
  }
  await leave(page);
});
