export { systemClock } from '../platform/system-clock.ts';
