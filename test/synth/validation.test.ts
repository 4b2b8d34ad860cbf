import { execFile } from 'node:child_process';
import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addStacks } from '../../lib/app.ts';
import { DEV } from '../../lib/config/environment.ts';
import { loadStages } from '../../src/project/stages.ts';
import { ROOT } from '../helpers/sources.ts';

const run = promisify(execFile);
const directory = mkdtempSync(path.join(tmpdir(), 'millrace-cdk-'));
/** Findings of cfn-lint that are meant to be so. W3005: the CDK lets a function wait for its role by name, too. */
const EXPLAINED = ['W3005'];
const CFN_LINT = path.join(ROOT, '.millrace', 'venv', 'bin', 'cfn-lint');

/** Synthesises with the command that the documents name; cdk-nag runs in it and fails it. */
async function cdkSynth(environment: string, ...context: string[]): Promise<string> {
  const output = path.join(directory, [environment, ...context].join('-'));
  const cdk = path.join(ROOT, 'node_modules', '.bin', 'cdk');
  const given = [`env=${environment}`, ...context].flatMap((one) => ['-c', one]);
  await run(cdk, ['synth', '--quiet', ...given, '-o', output], { cwd: ROOT });
  return output;
}

let outputs: readonly string[] = [];

beforeAll(async () => {
  outputs = [
    await cdkSynth('dev'),
    await cdkSynth('prod'),
    await cdkSynth('prod', 'pipeline=flights', 'generation=2'),
  ];
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('the templates of every pipeline, for dev and prod', () => {
  it('pass cdk-nag with every exception explained', () => {
    expect(outputs).toHaveLength(3);
  });

  it('pass cfn-lint', async () => {
    const templates = outputs.flatMap((output) =>
      globSync('*.template.json', { cwd: output }).map((file) => path.join(output, file)),
    );
    expect(templates.length).toBeGreaterThanOrEqual(8);
    const args = ['--format', 'parseable', '--ignore-checks', ...EXPLAINED, '--', ...templates];
    const { stdout } = await run(CFN_LINT, args);
    expect(stdout).toBe('');
  });
});

it('a generation that stands by passes cdk-nag, too', async () => {
  const context = { 'aws:cdk:bundling-stacks': [] };
  const app = new App({ outdir: path.join(directory, 'standby'), context });
  const consumer = { ...DEV.consumer, retryAttempts: 5, giveUp: { standby: 2 } };
  const folders = await loadStages(ROOT, ['flights']);
  const target = { account: undefined, region: 'eu-west-1' };
  const before = process.exitCode;
  addStacks(app, { folders, environment: { ...DEV, consumer }, target }).synth();
  const after = process.exitCode;
  process.exitCode = before;

  expect(after).toBe(before);
});

it('cdk-nag does fail a synth that it has not been told about', () => {
  const app = new App({ outdir: path.join(directory, 'planted') });
  new Bucket(new Stack(app, 'Planted'), 'Open');
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));

  const errors: unknown[] = [];
  const before = process.exitCode;
  try {
    app.synth();
  } catch (error) {
    errors.push(error);
  }
  const failed =
    errors.length > 0 || (process.exitCode !== undefined && process.exitCode !== before);
  process.exitCode = before;

  expect(failed).toBe(true);
});
