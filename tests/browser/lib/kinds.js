// Every kind of page that a visitor can come to see.

import { go, send } from './browser.js';

const opened = (to, status) => (page, site) => go(page, site, to, status);

/** A kind's name, and how to come to it. The demo's content stands for what people write. */
export const KINDS = {
  home: opened(''),
  index: opened('tech/'),
  'second index': opened('tech/2.html'),
  'index of art': opened('art/'),
  catalog: opened('tech/catalog.html'),
  archive: opened('art/archive.html'),
  'empty archive': opened('tech/archive.html'),
  thread: opened('tech/thread/1.html'),
  'thread of markup': opened('meta/thread/4.html'),
  'thread of scripts': opened('art/thread/5.html'),
  'thread of art': opened('art/thread/1.html'),
  'locked thread': opened('meta/thread/1.html'),
  'archived thread': opened('art/thread/16.html'),
  'open form': async (page, site) => {
    await go(page, site, 'tech/');
    await page.locator('.new summary').click();
  },
  'one post': opened('meta/thread/15.html#p15'),
  'not found': opened('nothing/here.html', 404),
  refused: async (page, site) => {
    await go(page, site, 'tech/thread/1.html');
    await send(page, { name: 'Somebody', body: 'too many lines\n'.repeat(600) });
    await page.locator('text=too long').waitFor();
  },
};

/** The values of the radio buttons in the footer. */
export const STYLES = ['auto', 'day', 'night', 'classic', 'textboard'];
