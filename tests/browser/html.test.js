// Every page is valid HTML.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { HtmlValidate } from 'html-validate';
import { Site } from './lib/site.js';

let site;
before(async () => {
  site = await Site.open();
});
after(() => site?.close());

const validator = new HtmlValidate({ root: true, extends: ['html-validate:standard'] });

async function complaints(name, text) {
  const report = await validator.validateString(text, name);
  return report.results.flatMap(({ messages }) =>
    messages.map(({ ruleId, message, line, column }) => `${name}:${line}:${column}: ${message} (${ruleId})`));
}

test('every page of the demo is valid', async () => {
  const pages = site.files('.html');
  assert.ok(pages.length > 20, pages.join(' '));
  for (const name of pages) {
    const text = fs.readFileSync(path.join(site.dir, 'public', name), 'utf8');
    assert.deepEqual(await complaints(name, text), []);
  }
});

test('the answer to a refused post is valid', async () => {
  const fields = { board: 'tech', name: 'a"b<c>&', subject: '\'"><', body: '</textarea><script>\n'.repeat(500) };
  const answer = await fetch(new URL('post', site.url), { method: 'POST', body: new URLSearchParams(fields) });
  assert.equal(answer.status, 422);
  assert.deepEqual(await complaints('refused', await answer.text()), []);
});

test('the judge finds what is wrong', async () => {
  assert.notDeepEqual(await complaints('wrong', '<!DOCTYPE html><html lang="en"><title>t</title><p id="a"><div id="a">'), []);
});
