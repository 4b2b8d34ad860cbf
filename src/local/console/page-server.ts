import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { build } from 'esbuild';
import type { CloudWatchBridge } from '../cloudwatch/bridge.ts';
import type { Observed } from '../cloudwatch/deployed.ts';
import { ROOT } from '../paths.ts';
import { type PageSource, pageData, pagePeriods } from './page-data.ts';

/** The local page, served on the loopback interface. */
export interface PageServer {
  readonly url: string;
  /** The run is over: what is shown stands still. */
  end(): void;
  close(): Promise<void>;
}

/** What the page needs of the bridge. */
export type Watched = Pick<CloudWatchBridge, 'minuteMs' | 'stateOf'> & {
  readonly store: PageSource['store'];
  readonly observed: Pick<Observed, 'alarms' | 'dashboards'>;
};

/** Data of a period had time to arrive by then, milliseconds. */
const SETTLE_MS = 1_500;

const FOLDER = path.join(ROOT, 'web', 'console');

/** Nothing from elsewhere, and nobody may frame it. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'",
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
} as const;

/**
 * Serves a page that renders the dashboards of the deployed stacks with the metrics of this run. It listens on a
 * free port of the loopback interface and answers no other host name, so that no website can read it.
 */
export async function servePage(bridge: Watched): Promise<PageServer> {
  const files = await readPage();
  const startMs = Date.now();
  let endMs: number | undefined;
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://page');
    const isHere = /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(request.headers.host ?? '');
    const file = files.get(pathname);
    if (!isHere || request.method !== 'GET') return answer(response, 403, 'text/plain', 'not here');
    if (file !== undefined) return answer(response, 200, file.type, file.text);
    if (pathname !== '/data.json') return answer(response, 404, 'text/plain', 'nothing here');
    const periods = pagePeriods(startMs, endMs ?? Date.now() - SETTLE_MS);
    const source = sourceOf(bridge);
    const name = searchParams.get('dashboard') ?? '';
    const data = pageData(source, name, { periods, running: endMs === undefined });
    answer(response, 200, 'application/json', JSON.stringify(data));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    end: () => {
      endMs = Date.now();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function sourceOf(bridge: Watched) {
  const { dashboards, alarms } = bridge.observed;
  return {
    dashboards,
    store: bridge.store,
    alarmMinuteMs: bridge.minuteMs,
    alarm: (name: string) => {
      const { state = 'INSUFFICIENT_DATA' as const, last } = bridge.stateOf(name);
      const description = alarms.find((alarm) => alarm.name === name)?.description ?? '';
      return { name, state, description, sinceMs: last?.atMs ?? null, reason: last?.reason ?? '' };
    },
  };
}

function answer(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { ...HEADERS, 'content-type': `${type}; charset=utf-8` }).end(text);
}

/** The page's files by path: its script and style are bundled when it is served. */
async function readPage(): Promise<ReadonlyMap<string, { type: string; text: string }>> {
  const { outputFiles } = await build({
    entryPoints: ['main.ts', 'style.css'].map((file) => path.join(FOLDER, file)),
    outdir: FOLDER,
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    logLevel: 'error',
  });
  const types: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.css': 'text/css' };
  const files = outputFiles.map(({ path: file, text }) => {
    const type = types[path.extname(file)] ?? 'text/plain';
    return [`/${path.basename(file)}`, { type, text }] as const;
  });
  const text = readFileSync(path.join(FOLDER, 'index.html'), 'utf8');
  return new Map([...files, ['/', { type: 'text/html', text }]]);
}
