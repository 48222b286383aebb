// What axe finds: contrast, names, landmarks, order of headings and the like.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { launch, leave, visitor } from './lib/browser.js';
import { KINDS, STYLES } from './lib/kinds.js';
import { Site } from './lib/site.js';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

let browser, site;
before(async () => {
  site = await Site.open();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site?.close();
});

// Not asked: `scrollable-region-focusable`. What posters write has a closed vocabulary without `tabindex`, and browsers
// let the focus come to code and art that scroll by themselves; the last test here holds them to it.
const OPTIONS = { resultTypes: ['violations'], rules: { 'scrollable-region-focusable': { enabled: false } } };

// Day and night have the colours of the automatic one.
const WINDOWS = {
  auto: [[360, 'light'], [1280, 'light'], [360, 'dark'], [1280, 'dark']],
  day: [[1280, 'dark']],
  night: [[360, 'light']],
  classic: [[360, 'light'], [1280, 'dark']],
  textboard: [[360, 'dark'], [1280, 'light']],
};

for (const style of STYLES) {
  for (const [width, colorScheme] of WINDOWS[style]) {
    test(`axe finds nothing: ${style}, ${width} px, ${colorScheme}`, async () => {
      // The site's own policy would not let axe in.
      const page = await visitor(browser, site, { width, colorScheme, javaScriptEnabled: true, bypassCSP: true });
      for (const [name, come] of Object.entries(KINDS)) {
        await come(page, site);
        await page.locator(`[name=style][value=${style}]`).check();
        await page.addScriptTag({ path: AXE });
        const { violations } = await page.evaluate((options) => axe.run(options), OPTIONS);
        const found = violations.map(({ id, help, nodes }) => ({ id, help, where: nodes.map((node) => node.html) }));
        assert.deepEqual(found, [], name);
      }
      await leave(page);
    });
  }
}

test('the trap of these tests shuts', async () => {
  const page = await visitor(browser, site, { javaScriptEnabled: true, bypassCSP: true });
  await KINDS.home(page, site);
  await page.addScriptTag({ path: AXE });
  await page.locator('.lead').evaluate((e) => { e.style.color = '#ccc'; });
  const { violations } = await page.evaluate((options) => axe.run(options), OPTIONS);
  assert.deepEqual(violations.map(({ id }) => id), ['color-contrast']);
  await leave(page);
});

test('code that is wider than the screen is scrolled with the keyboard', async () => {
  const page = await visitor(browser, site, { width: 360 });
  await KINDS.thread(page, site);
  const code = page.locator('.prettyprint').first();
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab');
    if (await code.evaluate((e) => e === document.activeElement)) break;
  }
  await page.keyboard.press('ArrowRight');
  await page.waitForTimeout(500);
  assert.ok(await code.evaluate((e) => e.scrollLeft > 0), 'it has moved');
  await leave(page);
});
