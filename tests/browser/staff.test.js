// Moderation in the browser: by keys alone, on a phone, without script, and as axe and the judge of HTML want it.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { HtmlValidate } from 'html-validate';
import { go, launch, leave, overflow, shoot, visitor } from './lib/browser.js';
import { PROGRAM, Site } from './lib/site.js';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const PASSWORD = 'correct horse battery';

let browser, site;
before(async () => {
  site = await Site.open((dir) => {
    for (const role of ['admin', 'janitor']) {
      const words = ['--root', dir, 'mod', 'user', 'add', role, '--role', role];
      const { status, stderr } = spawnSync(PROGRAM, words, { input: `${PASSWORD}\n` });
      assert.equal(status, 0, String(stderr));
    }
  });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site?.close();
});

async function signIn(page, name = 'admin') {
  await go(page, site, 'mod/');
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
}

/** A post and a report of it, with what breaks layouts. */
async function trouble(body = 'buy gold') {
  const { no } = await site.post({ board: 'tech', thread: '1', name: 'W'.repeat(60), body: `${body} ${'gold'.repeat(200)}` });
  const reason = `spam ${'x'.repeat(300)}`;
  await site.post({ task: 'report', board: 'tech', no: String(no), reason });
  return no;
}

const PATHS = ['', 'reports', 'posts', 'log', 'bans', 'users', 'nothing'];

test('it is done by keys alone, on a phone, without script', async () => {
  const no = await trouble();
  const page = await visitor(browser, site, { width: 360, height: 640 });
  await go(page, site, 'mod/');
  const press = async (...keys) => { for (const key of keys) await page.keyboard.press(key); };
  const focused = () => page.evaluate(() => document.activeElement.getAttribute('aria-label')
    ?? document.activeElement.name ?? document.activeElement.textContent);
  const reach = async (wanted) => {
    for (let steps = 0; steps < 200; steps += 1) {
      await press('Tab');
      if ((await focused()) === wanted) return;
    }
    assert.fail(`no key leads to ${wanted}`);
  };
  await reach('name');
  await page.keyboard.type('admin');
  await reach('password');
  await page.keyboard.type(PASSWORD);
  await press('Enter');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await page.getByRole('link', { name: 'Reports', exact: true }).focus();
  await press('Enter');
  await page.getByRole('heading', { name: 'Reports', level: 1 }).waitFor();
  // In the field of the reason the key must not send the first button of the page.
  await reach('why');
  await page.keyboard.type('spam');
  await press('Enter');
  assert.match(page.url(), /mod\/reports$/);
  await page.locator('body').focus();
  await page.locator('#main').evaluate((main) => main.scrollIntoView());
  await page.locator('.skip').focus();
  await reach(`Delete /tech/ ${no}`);
  await press('Enter');
  await page.getByRole('status').waitFor();
  assert.match(await page.getByRole('status').textContent(), /Done: delete/);
  assert.equal(await page.locator(`#c-tech-${no}`).count(), 0);
  await leave(page);
});

test('no page of staff is wider than a phone, and each is valid', async () => {
  const no = await trouble();
  const page = await visitor(browser, site, { width: 360, height: 640 });
  const judge = new HtmlValidate({ root: true, extends: ['html-validate:standard'] });
  const look = async (name) => {
    assert.equal(await overflow(page), null, name);
    await shoot(page, `staff-${name || 'overview'}`);
    const report = await judge.validateString(await page.request.get(page.url()).then((answer) => answer.text()), name);
    assert.deepEqual(report.results.flatMap(({ messages }) => messages.map(({ ruleId, message, line }) => `${line}: ${message} (${ruleId})`)), [], name);
  };
  await go(page, site, 'mod/');
  await look('sign-in');
  await signIn(page);
  await go(page, site, `mod/post/tech/${no}`);
  await page.getByRole('button', { name: 'Ban the sender' }).click();
  await page.getByRole('status').waitFor();
  for (const path of [...PATHS, `post/tech/${no}`]) {
    await go(page, site, `mod/${path}`, path === 'nothing' ? 404 : 200);
    await look(path.split('/')[0]);
  }
  await page.goto(new URL('mod/bans', site.url).href);
  await page.getByRole('button', { name: 'Lift the ban' }).first().click();
  await page.getByRole('status').waitFor();
  await leave(page);
});

for (const [width, colorScheme] of [[360, 'light'], [1280, 'dark']]) {
  test(`axe finds nothing: staff, ${width} px, ${colorScheme}`, async () => {
    const no = await trouble();
    const page = await visitor(browser, site, { width, colorScheme, javaScriptEnabled: true, bypassCSP: true });
    const look = async (name) => {
      await page.addScriptTag({ path: AXE });
      const rules = { 'scrollable-region-focusable': { enabled: false } };
      const { violations } = await page.evaluate((options) => axe.run(options), { resultTypes: ['violations'], rules });
      const found = violations.map(({ id, help, nodes }) => ({ id, help, where: nodes.map((node) => node.html) }));
      assert.deepEqual(found, [], name);
    };
    await go(page, site, 'mod/');
    await look('sign-in');
    await signIn(page);
    for (const path of [...PATHS, `post/tech/${no}`]) {
      await go(page, site, `mod/${path}`, path === 'nothing' ? 404 : 200);
      await look(path);
    }
    await leave(page);
  });
}

test('many are ticked and deleted together, and a janitor sees no more than that', async () => {
  const numbers = [await trouble('one'), await trouble('two')];
  const page = await visitor(browser, site, {});
  await signIn(page, 'janitor');
  await page.getByRole('link', { name: 'Recent posts' }).click();
  assert.equal(await page.getByRole('button', { name: /Ban/ }).count(), 0);
  for (const no of numbers) await page.getByLabel(`Choose /tech/ ${no}`).check();
  await page.getByLabel('Reason, for the log').fill('two at once');
  await page.locator('.all').getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('status').waitFor();
  for (const no of numbers) assert.equal(await page.locator(`#c-tech-${no}`).count(), 0);
  await go(page, site, 'mod/log');
  assert.match(await page.locator('.lines li').first().textContent(), /janitor.*two at once/s);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await leave(page);
});
