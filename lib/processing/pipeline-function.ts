import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Architecture, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { type BundlingOptions, NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { ENV, REFERENCES_FILE } from '../../src/core/contract.ts';
import { FIRST_GENERATION } from '../../src/core/generation.ts';
import { codePrintOf as printOf } from '../../src/project/code-print.ts';
import type { PipelineFolder } from '../../src/project/discover.ts';
import type { EnvironmentConfig } from '../config/environment.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');

/** What one of a pipeline's functions is made with. */
export interface PipelineFunctionProps {
  /** File in functions/ without its ending. */
  readonly entry:
    | 'close'
    | 'consume'
    | 'keep'
    | 'scale'
    | 'archive'
    | 'check-archive'
    | 'redrive'
    | 'replay'
    | 'recover';
  readonly folder: PipelineFolder;
  readonly environment: EnvironmentConfig;
  readonly key: IKey;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  readonly variables: Readonly<Partial<Record<keyof typeof ENV, string>>>;
}

/** A function whose bundle holds its own pipeline and nothing of another one. */
export function makePipelineFunction(
  scope: Construct,
  id: string,
  props: PipelineFunctionProps,
): NodejsFunction {
  const { entry, folder, environment, key } = props;
  const variables = {
    pipeline: folder.name,
    environment: environment.name,
    generation: FIRST_GENERATION,
    codePrint: codePrintOf(folder),
    ...props.variables,
  };
  const named = Object.entries(variables).map(([name, value]) => [
    ENV[name as keyof typeof ENV],
    value,
  ]);
  return new NodejsFunction(scope, id, {
    description: `Millrace: ${entry} of ${folder.name} (${environment.name})`,
    entry: path.join(ROOT, 'functions', `${entry}.ts`),
    handler: 'handler',
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.ARM_64,
    memorySize: props.memoryMb,
    timeout: Duration.seconds(props.timeoutSeconds),
    tracing: Tracing.ACTIVE,
    environment: { NODE_OPTIONS: '--enable-source-maps', ...Object.fromEntries(named) },
    logGroup: new LogGroup(scope, `${id}Logs`, {
      retention: environment.logDays,
      encryptionKey: key,
      removalPolicy: environment.protectData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    }),
    projectRoot: ROOT,
    depsLockFilePath: path.join(ROOT, 'package-lock.json'),
    bundling: bundlingOf(folder),
  });
}

/**
 * ESM with a `require` for the CommonJS parts of the SDK. Minified, because the size of a bundle is
 * cold-start time; source maps keep stack traces readable.
 */
function bundlingOf(folder: PipelineFolder): BundlingOptions {
  const rows = JSON.stringify(Object.fromEntries(folder.references));
  const references = stage(folder, { of: 'references', type: 'json', text: rows });
  return {
    format: OutputFormat.ESM,
    target: 'node24',
    mainFields: ['module', 'main'],
    minify: true,
    sourceMap: true,
    sourcesContent: false,
    externalModules: [],
    banner: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);",
    esbuildArgs: {
      '--alias:#pipeline': folder.file,
      '--alias:#decoder': stage(folder, {
        of: 'decoders',
        type: 'mjs',
        text: folder.decoder.source,
      }),
      '--alias:#millrace': path.join(ROOT, 'src/core/millrace.ts'),
    },
    commandHooks: {
      beforeInstall: () => [],
      beforeBundling: () => [],
      afterBundling: (_input, output) => [`cp "${references}" "${output}/${REFERENCES_FILE}"`],
    },
  };
}

const codePrints = new WeakMap<PipelineFolder, string>();

/** The print of the pipeline's code; made once in a synth. */
export function codePrintOf(folder: PipelineFolder): string {
  const print = codePrints.get(folder) ?? printOf(folder.file);
  codePrints.set(folder, print);
  return print;
}

/** A part of a pipeline that the build makes. */
interface StagedPart {
  readonly of: 'references' | 'decoders';
  /** The file's ending. */
  readonly type: string;
  readonly text: string;
}

/** Writes a part of a pipeline to where the bundling takes it from. */
function stage(folder: PipelineFolder, { of, type, text }: StagedPart): string {
  const directory = path.join(ROOT, '.millrace', of);
  const file = path.join(directory, `${folder.name}.${type}`);
  mkdirSync(directory, { recursive: true });
  // Renamed into place: another synth may be reading it.
  const partial = `${file}.${process.pid}`;
  writeFileSync(partial, text);
  renameSync(partial, file);
  return file;
}
