import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { REJECTION_REASONS } from '../src/core/rejection.ts';
import { ROOT } from './helpers/sources.ts';

const DOCUMENTS = globSync('{*.md,docs/**/*.md,bench/*.md}', { cwd: ROOT }).map((file) => ({
  file: file.replaceAll(path.sep, '/'),
  text: readFileSync(path.join(ROOT, file), 'utf8'),
}));

/** The commands of a document's shell blocks, one a line. */
function commandsOf(text: string): readonly string[] {
  return [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
    block
      .replace(/\\\n\s*/g, '')
      .split('\n')
      .map((line) => line.replace(/#.*$/, '').trim()),
  );
}

test('the commands of the documents exist', () => {
  const text = readFileSync(path.join(ROOT, 'package.json'), 'utf8');
  const { scripts, bin }: Record<'scripts' | 'bin', Record<string, string>> = JSON.parse(text);
  const tools = [...readdirSync(path.join(ROOT, 'node_modules', '.bin')), ...Object.keys(bin)];
  const foreign = new Set(['aws', 'docker']);

  const wrong = DOCUMENTS.flatMap(({ file, text: document }) =>
    commandsOf(document).flatMap((line) => {
      const [first, second = '', third = ''] = line.replace(/^(\w+=\S+ )+/, '').split(/\s+/);
      const known =
        line === '' ||
        foreign.has(first ?? '') ||
        (first === 'npm' && second === 'run' && third in scripts) ||
        (first === 'npm' && second in scripts) ||
        (first === 'npx' && tools.includes(second)) ||
        (first === 'node' && existsSync(path.join(ROOT, second)));
      return known ? [] : [`${file}: ${line}`];
    }),
  );

  expect(wrong).toEqual([]);
});

test('files and links that the documents name exist', () => {
  const wrong = DOCUMENTS.flatMap(({ file, text }) => {
    const links = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, to = '']) =>
      path.posix.join(path.posix.dirname(file), to),
    );
    const named = [
      ...text.matchAll(
        /`((?:src|lib|bin|functions|test|bench|scripts|docs|pipelines)\/[\w./-]+)`/g,
      ),
    ].map(([, to = '']) => to);
    return (
      [...links, ...named]
        // NAME stands for the user's own.
        .filter((to) => !to.includes('NAME') && !existsSync(path.join(ROOT, to)))
        .map((to) => `${file}: ${to}`)
    );
  });

  expect(wrong).toEqual([]);
});

test('the README stays under 150 lines, a decision under 60', () => {
  const long = DOCUMENTS.filter(({ file, text }) => {
    const lines = text.split('\n').length;
    return (file === 'README.md' && lines > 150) || (file.includes('adr/') && lines > 60);
  });

  expect(long.map(({ file }) => file)).toEqual([]);
});

test('each alarm has its section in the runbook, and each section its alarm', () => {
  const files = ['lib/observability/alarms.ts', 'lib/observability/closing-alarms.ts'];
  const alarms = files.map((file) => readFileSync(path.join(ROOT, file), 'utf8')).join('\n');
  const runbook = readFileSync(path.join(ROOT, 'docs/RUNBOOK.md'), 'utf8');
  const ids = [...alarms.matchAll(/^\s*id: '(\w+)'/gm)].map(([, id]) => id);
  const sections = [...runbook.matchAll(/^## (\w+)$/gm)].map(([, id]) => id);

  expect(ids.length).toBeGreaterThan(5);
  expect([...sections].sort()).toEqual([...ids].sort());
});

test('each reason of quarantine is explained to users', () => {
  const pipelines = readFileSync(path.join(ROOT, 'docs/PIPELINES.md'), 'utf8');
  for (const reason of Object.keys(REJECTION_REASONS)) expect(pipelines).toContain(`\`${reason}\``);
});

test('each run-time dependency has its line in the decision on them', () => {
  const { dependencies }: { dependencies: Record<string, string> } = JSON.parse(
    readFileSync(path.join(ROOT, 'package.json'), 'utf8'),
  );
  const decision = readFileSync(path.join(ROOT, 'docs/adr/0006-run-time-dependencies.md'), 'utf8');
  const named = (name: string) => decision.includes(`\`${name}\``);

  const without = Object.keys(dependencies).filter(
    (name) => !named(name) && !named(name.slice(name.indexOf('/') + 1)),
  );

  expect(without).toEqual([]);
  expect(Object.values(dependencies).filter((version) => !/^\d/.test(version))).toEqual([]);
});
