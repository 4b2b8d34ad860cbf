import { compile } from '../../src/core/compile.ts';
import type { AnyPipeline } from '../../src/core/pipeline/types.ts';
import type { Program } from '../../src/core/program.ts';
import { loadDecoder } from '../../src/project/decoder.ts';

/** A pipeline without references, compiled with its generated decoder, as its function has it. */
export async function withDecoder(pipeline: AnyPipeline): Promise<Program> {
  const { make } = await loadDecoder(pipeline);
  return compile(pipeline, new Map(), { makeDecoder: make });
}
