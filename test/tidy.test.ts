import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { findCycles, ROOT, readSources } from './helpers/sources.ts';

const SOURCES = readSources();

/** Which part of the project a file belongs to, the longest prefix first. */
const PARTS = [
  'src/core',
  'src/ports',
  'src/handlers',
  'src/adapters/aws',
  'src/adapters/memory',
  'src/mapping',
  'src/cloudwatch',
  'src/batch',
  'src/plan',
  'src/generate',
  'src/project',
  'src/local',
  'src/sim',
  'src/cli',
  'functions',
  'pipelines',
  'lib',
  'web',
  'bin',
  'test',
  'bench',
  'scripts',
] as const;

type Part = (typeof PARTS)[number];

interface Rule {
  /** Parts of the project that may be imported, besides the part itself. */
  readonly parts: readonly (Part | 'types of src/core')[];
  /** Packages that may be imported. */
  readonly packages: RegExp;
}

const NONE = /^$/;
const CORE: readonly Part[] = ['src/core', 'src/ports'];

/** Who may import what at run time. Tests, benchmarks and scripts may import anything. */
const RULES: Readonly<Partial<Record<Part, Rule>>> = {
  'src/core': { parts: [], packages: /^@standard-schema\/spec$/ },
  'src/ports': { parts: ['types of src/core'], packages: NONE },
  // Compression and hashes are functions of bytes: they reach nothing outside.
  'src/handlers': { parts: CORE, packages: /^node:(zlib|crypto)$/ },
  'src/adapters/aws': { parts: CORE, packages: /^(@aws-sdk\/client-|@smithy\/|node:)/ },
  'src/adapters/memory': { parts: CORE, packages: NONE },
  'src/mapping': { parts: ['src/core'], packages: NONE },
  'src/cloudwatch': { parts: ['src/core'], packages: NONE },
  'src/batch': { parts: ['src/core'], packages: NONE },
  // What it counts is what the handlers write, into tables that count as DynamoDB does.
  'src/plan': {
    parts: [...CORE, 'src/handlers', 'src/mapping', 'src/adapters/memory'],
    packages: NONE,
  },
  'src/generate': { parts: ['src/core'], packages: NONE },
  'src/project': {
    parts: ['src/core', 'src/generate'],
    packages: /^(node:|csv-parse|esbuild$)/,
  },
  'src/local': {
    parts: [
      ...CORE,
      'src/handlers',
      'src/mapping',
      'src/cloudwatch',
      'src/batch',
      'src/project',
      'src/adapters/aws',
      'src/adapters/memory',
    ],
    packages: /^(?!aws-cdk-lib|constructs|vitest)/,
  },
  'src/sim': {
    parts: [...CORE, 'src/handlers', 'src/mapping', 'src/batch', 'src/adapters/memory'],
    packages: /^node:(zlib|crypto)$/,
  },
  'src/cli': {
    parts: ['src/core', 'src/local', 'src/sim', 'src/plan', 'src/project', 'src/adapters/aws'],
    packages: /^(commander|picocolors|node:)/,
  },
  functions: {
    parts: [...CORE, 'src/handlers', 'src/adapters/aws'],
    packages: /^(@middy\/|@aws-lambda-powertools\/|@aws-sdk\/client-|node:(fs|path)$)/,
  },
  pipelines: { parts: ['src/core'], packages: /^(zod|valibot|arktype)/ },
  lib: {
    parts: ['src/core', 'src/plan', 'src/project'],
    packages: /^(aws-cdk-lib|constructs|cdk-nag|node:)/,
  },
  web: { parts: [], packages: /^uplot$/ },
  bin: {
    parts: ['lib', 'src/cli', 'src/project'],
    packages: /^(aws-cdk-lib|node:path)$/,
  },
};

function partOf(file: string): Part | undefined {
  return PARTS.find((part) => file.startsWith(`${part}/`));
}

/** What is wrong with one import, or undefined. */
function judge(file: string, to: string, rule: Rule): string | undefined {
  const target = partOf(to);
  const from = partOf(file);
  if (target === undefined) {
    const isOwn = existsSync(path.join(ROOT, to));
    return isOwn || rule.packages.test(to) ? undefined : `${file} imports ${to}`;
  }
  if (target === from || rule.parts.includes(target)) return undefined;
  return `${file} imports ${to}`;
}

test('each part imports only what the import table allows', () => {
  const wrong = SOURCES.flatMap(({ file, imports }) => {
    const part = partOf(file);
    const rule = part === undefined ? undefined : RULES[part];
    if (rule === undefined) return [];
    const runtime = imports.filter(({ typeOnly }) => !typeOnly);
    return runtime.flatMap(({ to }) => judge(file, to, rule) ?? []);
  });

  expect(wrong).toEqual([]);
});

test('a pipeline imports nothing of the core but the public entry', () => {
  const wrong = SOURCES.filter(({ file }) => file.startsWith('pipelines/')).flatMap(
    ({ file, imports }) =>
      imports
        .filter(({ to }) => to.startsWith('src/') && to !== 'src/core/millrace.ts')
        .map(() => file),
  );

  expect(wrong).toEqual([]);
});

test('no files import each other in a circle', () => {
  expect(findCycles(SOURCES)).toEqual([]);
});

test('every source file is used', () => {
  const imported = new Set(SOURCES.flatMap(({ imports }) => imports.map(({ to }) => to)));
  for (const { file, text } of SOURCES) {
    // A thread's file is named, not imported.
    for (const [, name = ''] of text.matchAll(
      /new URL\('\.\/([\w-]+\.ts)', import\.meta\.url\)/g,
    )) {
      imported.add(path.join(path.dirname(file), name));
    }
  }
  const ownParts = /^(src|lib)\//;

  const dead = SOURCES.filter(({ file }) => ownParts.test(file) && !imported.has(file));

  expect(dead.map(({ file }) => file)).toEqual([]);
});

const FILE_LINES_MAX = 400;
const TEST_LINES_MAX = 500;

test('files stay short', () => {
  const long = SOURCES.filter(({ file, text }) => {
    const max = file.startsWith('test/') ? TEST_LINES_MAX : FILE_LINES_MAX;
    return text.split('\n').length > max;
  });

  expect(long.map(({ file }) => file)).toEqual([]);
});

/** Where time, chance and the environment may be touched directly; everywhere else they come in. */
const IMPURE_PARTS: readonly (Part | undefined)[] = [
  'src/adapters/aws',
  'src/local',
  'web',
  'bin',
  'test',
  'bench',
  'scripts',
];
const GLOBALS = /\b(process\.env|Date\.now|Math\.random|setTimeout|setInterval|new Date\(\))/;
const GLOBALS_ALLOWED = new Set(['functions/shared/env.ts']);

test('time, chance and environment come in through ports', () => {
  const wrong = SOURCES.filter(
    ({ file, text }) =>
      !IMPURE_PARTS.includes(partOf(file)) && !GLOBALS_ALLOWED.has(file) && GLOBALS.test(text),
  );

  expect(wrong.map(({ file }) => file)).toEqual([]);
});

/** Words with what to write instead. Spelled in halves, so that this file passes. */
const BANNED: readonly (readonly [RegExp, string])[] = [
  [
    new RegExp(`\\b(TO${'DO'}|FIX${'ME'}|XX${'X'})\\b`),
    'do it, or say in the docs that it is not done',
  ],
  [new RegExp(`\\bas an${'y'}\\b|: an${'y'}\\b`), 'a real type'],
  [new RegExp(`@ts-ig${'nore'}`), '@ts-expect-error with its reason'],
  [new RegExp(`\\.\\./sha${'red'}/(?!.*\\.ts')`), 'this repository stands alone'],
  [new RegExp(`registry\\.np${'mjs'}|py${'pi'}\\.org`), 'no registry is named'],
  [new RegExp(`test\\((['"\`])[^'"\`]*\\bshou${'ld'}\\b`), 'a sentence in the present tense'],
];

test('banned words are absent', () => {
  const documents = globSync('{*.md,docs/**/*.md,package-lock.json}', { cwd: ROOT }).map(
    (file) => ({
      file,
      text: readFileSync(path.join(ROOT, file), 'utf8'),
    }),
  );

  const wrong = [...SOURCES, ...documents].flatMap(({ file, text }) =>
    BANNED.filter(([word]) => word.test(text)).map(
      ([word, instead]) => `${file}: ${word}: ${instead}`,
    ),
  );

  expect(wrong).toEqual([]);
});
