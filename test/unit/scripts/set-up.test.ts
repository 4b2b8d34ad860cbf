import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ROOT } from '../../helpers/sources.ts';

/** The real set-up in a checkout of its own, where `npm` and `python3` are small scripts. */
let checkout = '';
let commands = '';
let started: ChildProcess[] = [];

beforeEach(() => {
  checkout = mkdtempSync(path.join(tmpdir(), 'millrace-set-up-'));
  commands = path.join(checkout, 'commands');
  mkdirSync(commands);
  for (const folder of ['scripts/python', '.millrace'])
    mkdirSync(path.join(checkout, folder), { recursive: true });
  for (const file of ['bootstrap.mjs', 'bootstrap-lock.mjs', 'python/requirements.txt'])
    cpSync(path.join(ROOT, 'scripts', file), path.join(checkout, 'scripts', file));
  writeFileSync(path.join(checkout, 'package-lock.json'), '{}');
  command('npm', INSTALL);
  command('python3', VENV);
});

afterEach(() => {
  for (const child of started) child.kill('SIGKILL');
  started = [];
  rmSync(checkout, { recursive: true, force: true });
});

/** What the real commands leave behind; each notes that it ran. */
const INSTALL = `
  echo ran >> "$CALLS/npm"
  mkdir -p node_modules/.bin
  touch node_modules/.bin/vitest
  printf '#!/bin/sh\\necho v24.21.0\\n' > node_modules/.bin/node
  chmod +x node_modules/.bin/node`;
const VENV = `
  if [ "$1" = --version ]; then echo Python 3.12.1; exit; fi
  mkdir -p .millrace/venv/bin
  printf '#!/bin/sh\\nexit 0\\n' > .millrace/venv/bin/python
  chmod +x .millrace/venv/bin/python`;

/** Notes its process and never ends by itself; what it started is in its group. */
const HANG = 'sleep 600 & echo $$ > "$CALLS/npm.part"; mv "$CALLS/npm.part" "$CALLS/npm-pid"; wait';

function command(name: string, script: string): void {
  writeFileSync(path.join(commands, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

interface SetUp {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly said: readonly string[] }>;
}

function setUp(env: Readonly<Record<string, string>> = {}): SetUp {
  const child = spawn(process.execPath, ['scripts/bootstrap.mjs'], {
    cwd: checkout,
    env: { PATH: `${commands}:/usr/bin:/bin`, CALLS: checkout, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  started.push(child);
  let text = '';
  child.stderr?.on('data', (data) => {
    text += data;
  });
  const ended = once(child, 'close').then(([code]) => ({ code, said: text.trim().split('\n') }));
  return { child, ended };
}

/** Resolves once the file is there, and as it has to be. */
async function appears(name: string, isDone = (_text: string) => true): Promise<string> {
  const file = path.join(checkout, name);
  const watcher = watch(path.dirname(file));
  try {
    while (!existsSync(file) || !isDone(readFileSync(file, 'utf8'))) await once(watcher, 'change');
  } finally {
    watcher.close();
  }
  return readFileSync(file, 'utf8');
}

function isAlive(pid: number): boolean {
  const status = `/proc/${pid}/stat`;
  if (existsSync('/proc/self'))
    return existsSync(status) && !/\) Z/.test(readFileSync(status, 'utf8'));
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('the set-up', () => {
  it('makes each part once, saying so, and then has nothing to do', async () => {
    const first = await setUp().ended;
    const second = await setUp().ended;

    expect(first.code).toBe(0);
    expect(first.said.filter((line) => / done in \d+ s$/.test(line))).toHaveLength(2);
    expect(second).toEqual({ code: 0, said: [''] });
    expect(readFileSync(path.join(checkout, 'npm'), 'utf8')).toBe('ran\n');
  });

  it('starts a part again that was killed in the middle, and first stops what it left', async () => {
    command('npm', HANG);
    const killed = setUp();
    const left = Number(await appears('npm-pid'));
    await appears('.millrace/bootstrap.lock', (text) => text.endsWith(` ${left}`));
    killed.child.kill('SIGKILL');
    await killed.ended;
    expect(isAlive(left)).toBe(true);

    command('npm', INSTALL);
    const { code } = await setUp().ended;

    expect(code).toBe(0);
    expect(isAlive(left)).toBe(false);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('ends with its child at %s', async (signal) => {
    command('npm', HANG);
    const run = setUp();
    const pid = Number(await appears('npm-pid'));
    run.child.kill(signal);
    const { code } = await run.ended;

    expect(code).toBe(130);
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(path.join(checkout, '.millrace', 'bootstrap.lock'))).toBe(false);
  });

  it('waits for another one, and finds its work done', async () => {
    spawnSync('mkfifo', [path.join(checkout, 'go')]);
    command('npm', `echo > "$CALLS/begun"; read -r _ < "$CALLS/go"; ${INSTALL}`);
    const first = setUp();
    await appears('begun');
    const second = setUp();
    const waits = once(second.child.stderr ?? process.stdin, 'data');
    expect(String((await waits)[0])).toContain(
      `waiting for another set-up (process ${first.child.pid})`,
    );
    writeFileSync(path.join(checkout, 'go'), '\n');

    expect((await first.ended).code).toBe(0);
    expect((await second.ended).code).toBe(0);
    expect(readFileSync(path.join(checkout, 'npm'), 'utf8')).toBe('ran\n');
  });
});

describe('what is missing', () => {
  const without = async (name: string, script: string | undefined) => {
    if (script === undefined) rmSync(path.join(commands, name));
    else command(name, script);
    const { code, said } = await setUp({ PATH: `${commands}:/bin` }).ended;
    return { code, sentence: said.at(-1) };
  };

  it('is told in one sentence: no venv module', async () => {
    const debian = `if [ "$1" = --version ]; then echo Python 3.11.2; exit; fi
      echo 'The virtual environment was not created successfully because ensurepip is not'; exit 1`;
    expect(await without('python3', debian)).toEqual({
      code: 3,
      sentence:
        'Python has no venv module with pip: on Debian and Ubuntu run `apt-get install python3-venv`, then try again.',
    });
  });

  it('is told in one sentence: npm can not reach what it installs', async () => {
    const offline = `echo 'npm error code ENOTFOUND'; echo 'npm error network request failed'; exit 1`;
    expect(await without('npm', offline)).toEqual({
      code: 3,
      sentence: 'npm could not install the packages: network request failed',
    });
  });

  it('is told in one sentence: no Python of a version that will do', async () => {
    const { code, said } = await (async () => {
      rmSync(path.join(commands, 'python3'));
      for (const tool of ['mkdir', 'touch', 'chmod']) command(tool, `exec /bin/${tool} "$@"`);
      return setUp({ PATH: commands }).ended;
    })();
    expect([code, said.at(-1)]).toEqual([
      3,
      'Python 3.10 to 3.14 is missing: install one of them, then try again.',
    ]);
  });
});

describe('Node', () => {
  const own = () => path.join(checkout, 'node_modules', '.bin', 'node');

  it('of the system is used as it is where it is 24 or newer', async () => {
    command('system-node', 'echo v24.0.0');
    const { code } = await setUp({ npm_node_execpath: path.join(commands, 'system-node') }).ended;
    expect([code, existsSync(own())]).toEqual([0, false]);
  });

  it('comes with the packages where the system’s is older', async () => {
    command('system-node', 'echo v20.11.0');
    const { code } = await setUp({ npm_node_execpath: path.join(commands, 'system-node') }).ended;
    expect([code, existsSync(own())]).toEqual([0, true]);
  });

  it('is missing where the system’s is older and the packages bring none', async () => {
    command('system-node', 'echo v22.1.0');
    command('npm', `${INSTALL}; rm node_modules/.bin/node`);
    const { code, said } = await setUp({
      npm_node_execpath: path.join(commands, 'system-node'),
    }).ended;
    expect([code, said.at(-1)]).toEqual([
      3,
      'Node 24 or newer is missing: this is v22.1.0, and only Linux (x64, arm64) gets one with the packages; install it, then try again.',
    ]);
  });
});
