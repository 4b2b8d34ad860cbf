import type { Bucket } from '../ports/bucket.ts';
import type { Stream } from '../ports/stream.ts';
import type { Send } from './container.ts';

/** What requests of S3 and of the stream have in common. */
const BUCKET = { size: 1, service: 'bucket' as const, encrypted: true, refused: raise };
const STREAM = { size: 1, service: 'stream' as const, encrypted: false, refused: raise };

/** A bucket as a container sees it. */
export function bucketThrough(bucket: Bucket, send: Send): Bucket {
  return {
    put: (key, body, type, options) => {
      const apply = () => bucket.put(key, body, type, options);
      return send({ ...BUCKET, step: 'bucket.put', apply }, options);
    },
    get: (key, options) => {
      const apply = () => bucket.get(key, options);
      return send({ ...BUCKET, step: 'bucket.get', apply }, options);
    },
    list: (query, options) => {
      const apply = () => bucket.list(query, options);
      return send({ ...BUCKET, step: 'bucket.list', apply }, options);
    },
  };
}

/** What is asked of the stream besides its records; none of it is encrypted. */
export function streamThrough(stream: Stream, send: Send): Stream {
  return {
    identify: (options) => {
      const apply = () => stream.identify(options);
      return send({ ...STREAM, step: 'stream.identify', apply }, options);
    },
    parents: (shard, options) => {
      const apply = () => stream.parents(shard, options);
      return send({ ...STREAM, step: 'stream.parents', apply }, options);
    },
  };
}

function raise(error: Error): never {
  throw error;
}
