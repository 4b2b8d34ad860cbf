import { readFileSync } from 'node:fs';
import path from 'node:path';
import makeDecoder from '#decoder';
import pipeline from '#pipeline';
import { compile } from '../../src/core/compile.ts';
import { REFERENCES_FILE } from '../../src/core/contract.ts';
import type { Program } from '../../src/core/program.ts';
import type { VersionRows } from '../../src/core/reference.ts';
import { readEnv } from './env.ts';

/** The bundle's pipeline, compiled with the reference rows that the build put beside it. */
export function bundledProgram(): Program {
  const file = path.join(import.meta.dirname, REFERENCES_FILE);
  const references: Record<string, VersionRows[]> = JSON.parse(readFileSync(file, 'utf8'));
  const { codePrint } = readEnv(['codePrint']);
  return compile(pipeline, new Map(Object.entries(references)), { codePrint, makeDecoder });
}
