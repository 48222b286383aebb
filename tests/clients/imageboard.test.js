// The library `imageboard` takes a board of ours for one of 4chan, and for one of vichan. It parses what it reads, so
// that what it makes of posts shows whether they are written as it knows them.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import Imageboard, { createHttpRequestFunction } from 'imageboard';
import { PROGRAM, Site } from '../browser/lib/site.js';

const { boards, posts } = JSON.parse(fs.readFileSync(new URL('posts.json', import.meta.url)));

// The client insists on a host of its own; requests are led to ours.
const DOMAIN = 'board.example';

const get = (url, names = []) => ({ method: 'GET', url, urlParameters: names.map((name) => ({ name })) });

const CAPCODES = { admin: 'administrator', mod: 'moderator', janitor: 'moderator' };

/** What somebody who adds a site to the client writes down of it, as little as can be. */
const ENGINES = {
  '4chan': {
    threadUrl: '/{boardId}/thread/{threadId}.html',
    api: {
      getBoards: get('/boards.json'),
      getThreads: get('/{boardId}/catalog.json', ['boardId']),
      getThreadsWithLatestComments: get('/{boardId}/catalog.json', ['boardId']),
      getThread: get('/{boardId}/thread/{threadId}.json', ['boardId', 'threadId']),
      getThreadIncremental: get('/{boardId}/thread/{threadId}-tail.json', ['boardId', 'threadId']),
    },
  },
  // The engine brings its addresses along; vichan itself has no list of boards.
  vichan: { apiOverride: { getBoards: get('/boards.json') } },
};

let site;

before(async () => {
  site = await Site.open((dir) => {
    const content = path.join(dir, 'content');
    fs.rmSync(content, { recursive: true });
    for (const [board, text] of Object.entries(boards)) {
      fs.mkdirSync(path.join(content, board), { recursive: true });
      fs.writeFileSync(path.join(content, board, 'board.yaml'), text);
    }
    fs.writeFileSync(path.join(content, 'site.yaml'), 'formats: [json, vichan]\nduplicate_minutes: 0\n');
    const id = (no) => (no % 2 ? ', "poster_id": "v7G39Yl."' : '');
    const post = (no) => `--- {"no": ${no}, "at": "2025-03-02T10:20:30Z"${id(no)}}\ntext of ${no}\n\n`;
    fs.mkdirSync(path.join(content, 'long'));
    fs.writeFileSync(path.join(content, 'long/board.yaml'), 'poster_ids: true\n');
    fs.writeFileSync(path.join(content, 'long/1.md'), Array.from({ length: 120 }, (_, at) => post(at + 1)).join(''));
  });
  for (const { form, want } of posts) assert.equal((await site.post(form)).no, want.no, JSON.stringify(form));
});
after(() => site?.close());

/** The client, as an engine. */
function client(engine) {
  const getRequestUrl = ({ url }) => {
    const local = new URL(url);
    assert.equal(local.host, DOMAIN);
    return new URL(local.pathname, site.url).href;
  };
  const sendHttpRequest = createHttpRequestFunction({ fetch, FormData, getRequestUrl });
  const commentUrl = '/{boardId}/thread/{threadId}.html#p{commentId}';
  const config = { id: 'ours', engine, domain: DOMAIN, defaultAuthorName: 'Anonymous', commentUrl, capcodes: CAPCODES };
  Object.assign(config, ENGINES[engine]);
  return Imageboard(config, { sendHttpRequest, generatedQuoteMaxLength: 20 });
}

const bold = (content) => ({ type: 'text', style: 'bold', content });
const italic = (content) => ({ type: 'text', style: 'italic', content });
const quote = (content) => ({ type: 'quote', block: true, content });
const spoiler = (content) => ({ type: 'spoiler', content });

/** What the engine makes of a body; a quote of a post by `to`, its board, thread and number. */
function contents(engine) {
  const fourchan = engine === '4chan';
  const to = (boardId, threadId, commentId, more = {}) => ['post-link', { boardId, threadId, commentId, ...more }];
  const dead = (no) => (fourchan ? to('talk', 12, no, { isDeleted: true }) : undefined);
  return {
    1: [['We have', '\n', 'two lines'], ['and an empty one.']],
    2: [[to('talk', 1, 1), '\n', to('talk', 1, 1), ' and >not green']],
    // vichan has no `<s>`: its spoilers are of a class, and what it does not know it takes for text.
    3: fourchan
      ? [
          [
            ...[spoiler('a spoiler'), ' and ', spoiler([to('talk', 1, 2), ' in it', '\n', 'and a line']), '\n'],
            ...[bold('strong'), ' ', italic('emphasis'), ' ', 'code <b>'],
          ],
        ]
      : [
          [
            ...['a spoiler', ' and ', to('talk', 1, 2), ' in it', '\n', 'and a line', '\n'],
            ...[bold('strong'), ' ', italic('emphasis'), ' ', { type: 'code', content: 'code <b>' }],
          ],
        ],
    4: [
      {
        type: 'code',
        content: fourchan ? 'if a < b && c > "d" {\n    >>1\n}' : ['if a < b && c > "d" {', '\n', '    >>1', '\n', '}'],
      },
      ['after it'],
    ],
    // The client takes away the white space at the beginning of a post, whatever stands around it.
    5: fourchan
      ? [[{ type: 'text', style: 'ascii-shift-jis-art', content: ['/\\_/\\', '\n', ' ( o.o )  <3', '\n', '  > ^ <'] }]]
      : [['/\\_/\\', '\n', ' ( o.o )  <3', '\n', '  > ^ <']],
    6: [['これはテストです。', '\n', '＞全角', '\n', 'ｱｲｳ ㍿ 𠮷野家 か\u3099']],
    7: [['שלום עולם', '\n', 'مرحبا بالعالم 123', '\n', quote('ציטוט')]],
    8: [['🎉 👩‍👩‍👧‍👦 👍🏽 🇩🇪 ❤️ 1️⃣']],
    // It takes U+2028 for the end of a line, which Unicode says it is.
    9: [
      [
        '<script>alert("1")</script> &lt; &amp; &#0; \' \\" \\n \\u0041 ]]> --> {{x}} {"a": [1]} %s ',
        '\n',
        ' \u00a0 é',
      ],
    ],
    10: [['not the first one']],
    11: [
      [
        { type: 'link', url: 'https://example.org/a?b=c&d=', content: 'example.org/a?b=c&d=', contentGenerated: true },
        '"e" and ',
        { type: 'link', url: 'https://example.org/~x/', content: 'words' },
      ],
    ],
    12: [
      [
        ...[to('talk', 1, 2, { isAnotherThread: true }), ' there, '],
        ...[to('side', 1, 1, { isAnotherThread: true }), ' elsewhere, '],
        ...[{ type: 'link', url: '/side/index.html', content: '>>>/side/' }, ' as a whole, '],
        // The client has no word for dead quotes of other boards.
        ...[dead(9999) ?? '>>9999', ' nowhere, ', dead(NaN) ?? '>>>/side/99', ' nor there'],
      ],
    ],
    13: [[to('talk', 12, 12), '\n', '- one', '\n', '- two', '\n', '\u00a0\u00a01. deep']],
    14: [['x']],
  };
}

/** A content with quotes of posts as `to` has them: what the client says of a quoted post beside that is its own. */
function plain(content) {
  if (Array.isArray(content)) return content.map(plain);
  if (content?.type === 'post-link') return ['post-link', content.meta];
  if (content?.content) return { ...content, content: plain(content.content) };
  return content;
}

/** Acts as a moderator does. */
const staff = (...words) =>
  execFileSync(PROGRAM, ['--root', site.dir, 'mod', '--by', 'tests', ...words], { stdio: 'pipe', env: {} });
const moderate = (act, no) => staff(act, 'talk', String(no));

for (const engine of Object.keys(ENGINES)) {
  describe(`as ${engine}`, () => {
    test('boards', async () => {
      const known = (await client(engine).getBoards()).boards;
      const told = known.map(({ id, title, description, explicitContent }) => [id, title, description, explicitContent]);
      assert.deepEqual(told, [
        ['long', 'long', '', false],
        ['side', 'Side', '', false],
        ['talk', 'Talk & <more>', 'Of "this" & that', false],
      ]);
      const { features, post } = known[2];
      assert.deepEqual(features, { bumpLimit: 500, archive: {} });
      assert.deepEqual([post.contentMaxLength, post.attachments, post.authorName], [8000, false, true]);
      assert.deepEqual(post.commentContent, { tex: false, code: true });
    });

    test('threads with their latest comments', async () => {
      const how = { boardId: 'talk', withLatestComments: true, withLatestCommentsMaxPages: 2 };
      const { threads } = await client(engine).getThreads(how);
      const told = threads.map(({ id, title, commentsCount, comments, latestComments }) => {
        return [id, title, commentsCount, comments.map(({ id }) => id), latestComments?.map(({ id }) => id)];
      });
      told.sort(([a], [b]) => a - b);
      assert.deepEqual(told, [
        [1, 'Clients & <readers> of "boards"', 11, [1], [10, 11]],
        [12, undefined, 2, [12], [13]],
        [14, 'Of few words', 1, [14], undefined],
      ]);
      for (const { updatedAt } of threads) assert.ok(Math.abs(Date.now() - updatedAt) < 60_000, String(updatedAt));
    });

    test('posts, field by field', async () => {
      const reader = client(engine);
      const wanted = contents(engine);
      for (const { form, want } of posts) {
        const threadId = Number(form.thread ?? want.no);
        const { thread } = await reader.getThread({ boardId: form.board, threadId });
        const comment = thread.comments.find(({ id }) => id === want.no);
        const where = `/${form.board}/${want.no}`;
        assert.equal(comment.title, want.sub, where);
        assert.equal(comment.authorName, want.name === 'Anonymous' ? undefined : want.name, where);
        if (want.trip === 'secure') assert.match(comment.authorTripCode, /^!![\w./]{12}$/, where);
        else assert.equal(comment.authorTripCode, want.trip, where);
        assert.ok(Math.abs(Date.now() - comment.createdAt) < 60_000, where);
        for (const field of ['authorEmail', 'authorId', 'authorRole', 'attachments']) {
          assert.equal(comment[field], undefined, `${where} ${field}`);
        }
        const content = form.board === 'talk' ? wanted[want.no] : [[want.text]];
        assert.deepEqual(plain(comment.content), content, where);
      }
    });

    test('who answers whom', async () => {
      const { thread } = await client(engine).getThread({ boardId: 'talk', threadId: 1 });
      const answers = thread.comments.flatMap(({ id, replyIds = [] }) => replyIds.map((by) => [id, by]));
      assert.deepEqual(answers, [[1, 2], [2, 3]]);
      assert.deepEqual([thread.commentsCount, thread.commentAttachmentsCount], [11, 0]);
    });

    test('what moderators do', async () => {
      const flags = async () => {
        const { thread } = await client(engine).getThread({ boardId: 'talk', threadId: 14 });
        return [Boolean(thread.locked), Boolean(thread.pinned), Boolean(thread.archived), Boolean(thread.bumpLimitReached)];
      };
      assert.deepEqual(await flags(), [false, false, false, false]);
      for (const [act, undo, seen] of [
        ['lock', 'unlock', [true, false, false, false]],
        ['sticky', 'unsticky', [false, true, false, false]],
        ['archive', 'unarchive', [true, false, true, false]],
        ['bumplock', 'unbumplock', [false, false, false, true]],
      ]) {
        moderate(act, 14);
        assert.deepEqual(await flags(), seen, act);
        moderate(undo, 14);
        assert.deepEqual(await flags(), [false, false, false, false], undo);
      }
    });

    test('ids of posters, where a board has them', async () => {
      const { thread } = await client(engine).getThread({ boardId: 'long', threadId: 1 });
      assert.deepEqual(thread.comments.slice(0, 3).map(({ authorId }) => authorId), ['v7G39Yl.', undefined, 'v7G39Yl.']);
      assert.equal(thread.uniquePostersCount, 1);
    });

    test('the mark of staff', async () => {
      staff('post', 'long', '1', '--capcode', 'admin', '--name', engine, '--text', 'as one of the staff');
      const { thread } = await client(engine).getThread({ boardId: 'long', threadId: 1 });
      const { authorName, authorRole } = thread.comments.at(-1);
      assert.deepEqual([authorName, authorRole], [engine, 'administrator']);
      staff('delete', 'long', String(thread.comments.at(-1).id));
    });

    test('what is not there', async () => {
      await assert.rejects(client(engine).getThread({ boardId: 'talk', threadId: 99 }), { status: 404 });
    });
  });
}

// The client's own way from the one file to the other parses the end of a thread twice, and fails; so its parts are asked.
test('the end of a long thread is enough for whoever has read the rest', async () => {
  const reader = client('4chan');
  const { response } = await reader.request(ENGINES['4chan'].api.getThreadIncremental, { boardId: 'long', threadId: 1 });
  const after = (afterCommentId) => {
    const known = reader.parseIncrementalThreadResponse(response, { boardId: 'long', afterCommentId });
    return known && [known.thread.comments.map(({ no }) => no), known.thread.commentsCount];
  };
  const tail = [1, ...Array.from({ length: 50 }, (_, at) => 71 + at)];
  assert.deepEqual(after(119), [tail, 120]);
  // 70 is the last post that is left out: who has read it misses nothing, who has not does.
  assert.deepEqual(after(70), [tail, 120]);
  assert.equal(after(69), undefined);
  const none = reader.request(ENGINES['4chan'].api.getThreadIncremental, { boardId: 'talk', threadId: 1 });
  await assert.rejects(none, { status: 404 });
});

test('pages of other sites may read all that is for programs', async () => {
  for (const name of ['boards.json', 'talk/catalog.json', 'talk/thread/1.json', 'talk/res/1.json', 'all/threads.json']) {
    const answer = await fetch(new URL(name, site.url), { headers: { origin: 'https://elsewhere.example' } });
    assert.equal(answer.headers.get('access-control-allow-origin'), '*', name);
    assert.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8', name);
  }
});
