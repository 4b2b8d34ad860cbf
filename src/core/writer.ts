import { hashKeyOf, sipHash } from './hash.ts';

/**
 * Names of writers: the ordered lanes whose records are never processed concurrently by design. A
 * name starts with the epoch, so that a stream that is deleted and made again under the same name
 * starts new writers instead of looking like a redelivery.
 */

const utf8 = new TextEncoder();

/** Not secret: it only makes the epoch's name depend on the whole ARN. */
const EPOCH_KEY = hashKeyOf(utf8.encode('millrace epoch 1'));

/** Such as `t4x9k2-1f3a9c0d`: creation time in seconds, base 36, and a hash of the stream's ARN. */
export function epochOf(stream: { readonly arn: string; readonly createdMs: number }): string {
  const seconds = Math.floor(stream.createdMs / 1000).toString(36);
  const { high } = sipHash(EPOCH_KEY, utf8.encode(`${stream.arn} ${stream.createdMs}`));
  return `${seconds}-${high.toString(16).padStart(8, '0')}`;
}

/** The writer of a partition, such as `t4x9k2-1f3a9c0d.p3`. */
export function partitionWriter(epoch: string, partition: number): string {
  return `${epoch}.p${partition}`;
}

/** The writer of a shard, such as `t4x9k2-1f3a9c0d.s6`, where producers choose their own keys. */
export function shardWriter(epoch: string, shard: number): string {
  return `${epoch}.s${shard}`;
}

/** The lane of a shard's records that name no partition: they are quarantined and never folded. */
export function strayWriter(epoch: string, shard: number): string {
  return `${epoch}.stray${shard}`;
}

const REDRIVE_LANE = 'redrive';

/** The one writer that brings refused events back, such as `t4x9k2-1f3a9c0d.redrive`. */
export function redriveWriter(epoch: string): string {
  return `${epoch}.${REDRIVE_LANE}`;
}

/** True for a writer that `redriveWriter` named. Events of any time come from it, at any time. */
export function isRedriveWriter(writer: string): boolean {
  return writer.endsWith(`.${REDRIVE_LANE}`);
}

/** The epoch in a writer's name. */
export function epochOfWriter(writer: string): string {
  return writer.slice(0, writer.lastIndexOf('.'));
}

/** When the stream of an epoch was made, in whole seconds as milliseconds since 1970 UTC. */
export function epochStartMs(epoch: string): number {
  return Number.parseInt(epoch, 36) * 1000;
}
