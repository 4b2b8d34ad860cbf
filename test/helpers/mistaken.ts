import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import type { simulateSmall } from './simulate-small.ts';
import type { simulateSwitch } from './simulate-switch.ts';
import { ROOT, readSources } from './sources.ts';

/** One wrong word in a source file. */
export interface Mistake {
  /** From the root. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly right: string;
  readonly wrong: string;
}

/** The simulations of the tests, whose handlers and mapping engine have a mistake, by their files. */
export interface Mistaken {
  readonly small: typeof simulateSmall;
  readonly switch: typeof simulateSwitch;
}

const NAMES: Readonly<Record<keyof Mistaken, string>> = {
  small: 'simulateSmall',
  switch: 'simulateSwitch',
};

const SOURCES = new Map(readSources().map((source) => [source.file, source]));

/**
 * Bundles the simulation twice over: the handlers and the engine that it runs come from sources with the
 * mistake, while everything that checks them, and everything that no mistake reaches, stays as it is.
 */
export function mistaken<Name extends keyof Mistaken>(
  mistakes: readonly Mistake[],
  name: Name,
): Promise<Mistaken[Name]> {
  return mistakenRun<Mistaken[Name]>(mistakes, entryOf(name));
}

/**
 * The same for another simulation. @param entry exports it as `run`; what it imports from `mistaken:` comes from
 * sources with the mistake
 */
export async function mistakenRun<Run>(mistakes: readonly Mistake[], entry: string): Promise<Run> {
  const directory = mkdtempSync(path.join(tmpdir(), 'millrace-mistake-'));
  const outfile = path.join(directory, 'simulation.mjs');
  await build({
    stdin: { contents: entry, resolveDir: ROOT, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
    logLevel: 'error',
    plugins: [makeMistakes(mistakes)],
  });
  const { run }: { run: Run } = await import(pathToFileURL(outfile).href);
  rmSync(directory, { recursive: true });
  return run;
}

const entryOf = (name: keyof Mistaken) => `
import { ${NAMES[name]} as simulate } from './test/helpers/simulate-${name}.ts';
import { makeConsume } from 'mistaken:src/handlers/consume.ts';
import { makeKeep } from 'mistaken:src/handlers/keep.ts';
import { MappingEngine } from 'mistaken:src/mapping/engine.ts';
export const run = (seed, over) => simulate(seed, {
  makeHandler: makeConsume,
  makeKeeper: makeKeep,
  makeEngine: (settings, policies) => new MappingEngine(settings, policies),
  ...over,
});
`;

function makeMistakes(mistakes: readonly Mistake[]): Plugin {
  const touched = reaching(new Set(mistakes.map(({ file }) => file)));
  return {
    name: 'mistakes',
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /^mistaken:/ }, ({ path: name }) => {
        return placed(name.slice('mistaken:'.length), touched);
      });
      onResolve({ filter: /^\./, namespace: 'mistaken' }, ({ path: name, importer }) => {
        return placed(path.posix.join(path.posix.dirname(importer), name), touched);
      });
      onLoad({ filter: /./, namespace: 'mistaken' }, ({ path: file }) => ({
        contents: changed(file, mistakes),
        resolveDir: path.join(ROOT, path.dirname(file)),
        loader: 'ts',
      }));
    },
  };
}

/** A file that reaches a mistake is a copy; any other is the simulation's own, so that errors are the same. */
function placed(file: string, touched: ReadonlySet<string>) {
  return touched.has(file)
    ? { path: file, namespace: 'mistaken' }
    : { path: path.join(ROOT, file), namespace: 'file' };
}

/** The files that import one of these, over others too. */
function reaching(files: ReadonlySet<string>): ReadonlySet<string> {
  const found = new Set(files);
  for (let before = -1; before < found.size; ) {
    before = found.size;
    for (const { file, imports } of SOURCES.values()) {
      if (imports.some(({ to, typeOnly }) => !typeOnly && found.has(to))) found.add(file);
    }
  }
  return found;
}

function changed(file: string, mistakes: readonly Mistake[]): string {
  let text = readFileSync(path.join(ROOT, file), 'utf8');
  for (const { right, wrong } of mistakes.filter((one) => one.file === file)) {
    if (text.split(right).length !== 2) {
      throw new Error(`${file}: got ${text.split(right).length - 1} of '${right}', expected one`);
    }
    text = text.replace(right, () => wrong);
  }
  return text;
}
