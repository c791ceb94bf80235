import { duration, file, integer, text } from './kinds.ts';
import { optionalSetting, setting } from './setting.ts';

/** Where macp-runtime finds what it takes for its Redis. */
export const gatewaySettings = {
  'gateway.host': setting(
    text,
    '127.0.0.1',
    'Address that the runtime gateway listens at; any but the loopback one needs gateway.password',
  ),
  'gateway.port': optionalSetting(
    integer(0, 65_535),
    'Port that the runtime gateway listens at; 0 takes a free one. Without it `start` has no gateway',
  ),
  'gateway.prefix': setting(text, 'macp', "What the runtime's keys begin with; macp-runtime knows no other than macp"),
  'gateway.leaseTime': setting(
    duration(1_000),
    '5s',
    'How long a gateway may be silent until one that stands by takes over; in a store that several processes share',
  ),
  'gateway.password': optionalSetting(text, 'Password that the runtime gateway asks for', { secret: true }),
  'gateway.tlsCertificate': optionalSetting(
    file,
    'Certificate (PEM) that the runtime gateway shows: with it, it takes TLS only',
  ),
  'gateway.tlsKey': optionalSetting(file, 'Private key (PEM) of that certificate'),
} as const;
