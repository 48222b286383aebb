// Moderation in the browser: by keys alone, on a phone, without script, and as axe and the judge of HTML want it.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
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
    fs.writeFileSync(path.join(dir, 'content/filters.yaml'), '- {match: suspicious, action: hold, why: it is suspicious}\n');
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

/** A post that is held, with what breaks layouts. */
async function hold(body) {
  const long = 'gold'.repeat(200);
  const subject = `Subject ${'S'.repeat(60)}`;
  const answer = await site.post({ board: 'tech', thread: '1', name: 'W'.repeat(60), subject, body: `suspicious ${body} >>1 ${long}\n\n    ${long}` });
  assert.equal(answer.held, true, JSON.stringify(answer));
}

const PATHS = ['', 'reports', 'posts', 'held', 'log', 'bans', 'posture', 'users', 'nothing'];

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
  await hold('to be looked at');
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
  for (const to of [...PATHS, `post/tech/${no}`]) {
    await go(page, site, `mod/${to}`, to === 'nothing' ? 404 : 200);
    await look(to.split('/')[0]);
  }
  await go(page, site, 'mod/held');
  await page.getByRole('link', { name: /^Held post 1$/ }).click();
  await page.getByRole('heading', { name: 'Held post', exact: true }).waitFor();
  await page.waitForLoadState();
  await look('held-one');
  await page.goto(new URL('mod/bans', site.url).href);
  await page.getByRole('button', { name: 'Lift the ban' }).first().click();
  await page.getByRole('status').waitFor();
  await leave(page);
});

for (const [width, colorScheme] of [[360, 'light'], [1280, 'dark']]) {
  test(`axe finds nothing: staff, ${width} px, ${colorScheme}`, async () => {
    const no = await trouble();
    await hold(`to be looked at, ${width} px`);
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
    for (const to of [...PATHS, `post/tech/${no}`]) {
      await go(page, site, `mod/${to}`, to === 'nothing' ? 404 : 200);
      await look(to);
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

for (const javaScriptEnabled of [false, true]) {
  const how = javaScriptEnabled ? 'with script' : 'without script';

  test(`held posts are approved and denied on a phone, ${how}`, async () => {
    for (const body of ['welcome', 'rubbish', 'trash']) await hold(`${body} ${how}`);
    const page = await visitor(browser, site, { width: 360, height: 640, javaScriptEnabled });
    await signIn(page, 'janitor');
    await page.getByRole('link', { name: /^Held posts: \d+$/ }).click();
    await page.getByRole('heading', { name: 'Held posts', exact: true }).waitFor();
    await page.waitForLoadState();
    assert.equal(await overflow(page), null);
    const one = (body) => page.getByRole('article').filter({ hasText: `${body} ${how}` });
    assert.match(await one('welcome').textContent(), /Held: a filter: it is suspicious/);
    assert.equal(await one('welcome').locator('a.quotelink').getAttribute('href'), '/tech/thread/1.html#p1');
    const name = async (body) => (await one(body).getByRole('link', { name: /^Held post \d+$/ }).textContent());
    await page.getByRole('button', { name: `Approve ${(await name('welcome')).toLowerCase()}`, exact: true }).click();
    assert.match(await page.getByRole('status').textContent(), /Done: approve/);
    assert.equal(await one('welcome').count(), 0);
    for (const body of ['rubbish', 'trash']) await page.getByLabel(`Choose ${(await name(body)).toLowerCase()}`, { exact: true }).check();
    await page.getByLabel('Reason, for the log').first().fill(`not here, ${how}`);
    await page.getByRole('button', { name: 'Deny', exact: true }).click();
    assert.match(await page.getByRole('status').textContent(), /Done: deny/);
    assert.equal(await one('rubbish').count() + await one('trash').count(), 0);
    await go(page, site, 'tech/thread/1.html');
    await page.getByText(`welcome ${how}`).waitFor();
    await leave(page);
    // Whoever may undo has them back, and then throws away all that waits.
    const admin = await visitor(browser, site, { width: 360, height: 640, javaScriptEnabled });
    await signIn(admin);
    await admin.getByRole('link', { name: 'Log', exact: true }).click();
    const line = admin.locator('.lines li').filter({ hasText: `not here, ${how}` });
    assert.match(await line.textContent(), /janitor deny, 2 held posts/);
    await line.getByRole('button', { name: /Undo/ }).click();
    await admin.getByRole('status').waitFor();
    await go(admin, site, 'mod/held');
    assert.equal(await admin.getByRole('article').filter({ hasText: how }).count(), 2);
    await admin.getByRole('button', { name: 'Deny all' }).click();
    // The browser asks for the tick first.
    assert.match(admin.url(), /mod\/held$/);
    await admin.getByRole('checkbox', { name: /^All \d+ are meant/ }).check();
    await admin.getByRole('button', { name: 'Deny all' }).click();
    await admin.getByText('Nothing is held.').waitFor();
    await leave(admin);
  });

  test(`the posture is set on a phone, and told on every page, ${how}`, async () => {
    const page = await visitor(browser, site, { width: 360, height: 640, javaScriptEnabled });
    await signIn(page);
    await page.getByRole('link', { name: 'Posture', exact: true }).click();
    await page.getByRole('radio', { name: /^Closed:/ }).check();
    await page.getByLabel(/^For how many hours/).fill('2');
    await page.getByLabel('Reason, for the log').first().fill('a raid');
    await page.getByRole('button', { name: 'Set the posture' }).click();
    await page.getByRole('status').waitFor();
    for (const to of PATHS) {
      await go(page, site, `mod/${to}`, to === 'nothing' ? 404 : 200);
      assert.match(await page.locator('.stance').textContent(), /^Closed: no posts are taken\. Until .* Set by admin\./);
      assert.equal(await overflow(page), null, to);
    }
    const refused = await site.post({ board: 'tech', thread: '1', body: 'let me in' });
    assert.equal(refused.error.code, 'closed');
    await page.getByRole('link', { name: 'Change it' }).click();
    await page.getByRole('radio', { name: /^Calm:/ }).check();
    await page.getByRole('button', { name: 'Set the posture' }).click();
    await page.getByRole('status').waitFor();
    assert.equal(await page.locator('.stance').count(), 0);
    await leave(page);
  });

  test(`posts of one sender are found, deleted together, and had back, ${how}`, async () => {
    const numbers = [];
    for (const body of ['one', 'two']) numbers.push((await site.post({ board: 'tech', thread: '1', body: `${body} of them, ${how}` })).no);
    const page = await visitor(browser, site, { width: 360, height: 640, javaScriptEnabled });
    await signIn(page);
    await page.getByRole('link', { name: 'Recent posts', exact: true }).click();
    await page.getByRole('article').filter({ hasText: `one of them, ${how}` }).getByRole('link', { name: /^sender / }).click();
    await page.getByRole('heading', { name: /^Posts of one sender/ }).waitFor();
    await page.waitForLoadState();
    assert.equal(await overflow(page), null);
    for (const no of numbers) await page.getByLabel(`Choose /tech/ ${no}`).check();
    await page.getByLabel(/^Reason, for the log/).first().fill(`both, ${how}`);
    await page.locator('.all').getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByRole('status').waitFor();
    for (const no of numbers) assert.equal(await page.locator(`#c-tech-${no}`).count(), 0);
    await page.getByRole('link', { name: 'Log', exact: true }).click();
    await page.locator('.lines li').filter({ hasText: `both, ${how}` }).getByRole('button', { name: /Undo/ }).click();
    await page.getByRole('status').waitFor();
    await go(page, site, 'mod/posts');
    for (const no of numbers) assert.equal(await page.locator(`#c-tech-${no}`).count(), 1);
    await leave(page);
  });

  test(`a post and its thread are changed in every way that there is, ${how}`, async () => {
    const { no } = await site.post({ board: 'tech', subject: `Thread ${how}`, body: 'as it was written' });
    const page = await visitor(browser, site, { width: 360, height: 640, javaScriptEnabled });
    await signIn(page);
    await go(page, site, `mod/post/tech/${no}`);
    const press = async (label, done) => {
      await page.getByRole('button', { name: label, exact: true }).click();
      assert.match(await page.getByRole('status').textContent(), new RegExp(`^Done: ${done} `));
    };
    for (const [on, off] of [
      [['Lock', 'lock'], ['Unlock', 'unlock']],
      [['Make sticky', 'sticky'], ['Make not sticky', 'unsticky']],
      [['Let no reply bump it', 'bumplock'], ['Let replies bump it', 'unbumplock']],
      [['Make cyclic', 'cyclic'], ['Make not cyclic', 'uncyclic']],
      [['Archive', 'archive'], ['Take out of the archive', 'unarchive']],
    ]) {
      await press(...on);
      await press(...off);
    }
    await page.getByLabel('New text').fill('as it reads now');
    await press('Replace the text', 'edit');
    await press('Delete the whole thread', 'delete');
    await press('Put it back', 'restore');
    await press('Delete the whole thread', 'delete');
    await leave(page);
  });
}
