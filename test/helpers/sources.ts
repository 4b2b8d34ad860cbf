import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The checkout. */
export const ROOT = path.join(import.meta.dirname, '..', '..');

/** One import of a file; `to` is a path from the root for a file of this project, else a package. */
export interface Import {
  readonly to: string;
  readonly typeOnly: boolean;
}

/** A source file of the project. */
export interface Source {
  /** From the root, with `/`. */
  readonly file: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

const FOLDERS = ['bin', 'lib', 'functions', 'pipelines', 'src', 'web', 'test', 'bench', 'scripts'];
const IMPORT = /^\s*(?:import|export)\s+(type\s+)?(?:[\w*{][^;'"]*?\sfrom\s+)?['"]([^'"]+)['"]/gm;
const DYNAMIC_IMPORT = /\bimport\(\s*['"]([^'"]+)['"]/g;
const ALIASES: Readonly<Record<string, string>> = {
  '#millrace': 'src/core/millrace.ts',
  '#millrace/testing': 'src/sim/testing.ts',
  '#pipeline': 'functions/shared/no-pipeline.ts',
  '#decoder': 'functions/shared/no-decoder.ts',
};

/** Every TypeScript file of the project with what it imports. */
export function readSources(): readonly Source[] {
  return FOLDERS.filter((folder) => existsSync(path.join(ROOT, folder))).flatMap((folder) =>
    globSync(`${folder}/**/*.{ts,mjs}`, { cwd: ROOT }).map(readSource),
  );
}

function readSource(found: string): Source {
  const file = found.replaceAll(path.sep, '/');
  const text = readFileSync(path.join(ROOT, file), 'utf8');
  const fixed = [...text.matchAll(IMPORT)].map(([, type, to = '']) => ({
    to: resolve(file, to),
    typeOnly: type !== undefined,
  }));
  const dynamic = [...text.matchAll(DYNAMIC_IMPORT)].map(([, to = '']) => ({
    to: resolve(file, to),
    typeOnly: false,
  }));
  return { file, text, imports: [...fixed, ...dynamic] };
}

function resolve(from: string, to: string): string {
  const alias = ALIASES[to];
  if (alias !== undefined) return alias;
  return to.startsWith('.') ? path.posix.join(path.posix.dirname(from), to) : to;
}

/** The chains of files that import each other in a circle; types don't count. */
export function findCycles(sources: readonly Source[]): readonly string[] {
  const byFile = new Map(sources.map((source) => [source.file, source]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, trail: readonly string[]): void => {
    if (trail.includes(file)) cycles.push([...trail.slice(trail.indexOf(file)), file].join(' -> '));
    if (trail.includes(file) || done.has(file)) return;
    for (const { to, typeOnly } of byFile.get(file)?.imports ?? []) {
      if (!typeOnly && byFile.has(to)) visit(to, [...trail, file]);
    }
    done.add(file);
  };
  for (const { file } of sources) visit(file, []);
  return cycles;
}
