import { readFileSync } from "node:fs";

/**
 * What tells a process from all others on this machine: process ids are used again, so the moment of its start belongs to it.
 * @param {number} pid
 * @returns {string | undefined} "<pid> <start>"; undefined: there is no such process
 */
export function identifyProcess(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the program's name in brackets and may hold spaces; the start time is the 20th after it.
    const startedAt = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    return `${pid} ${startedAt}`;
  } catch {
    return undefined;
  }
}

/** @param {string} identity */
export function processIdOf(identity) {
  return Number.parseInt(identity, 10);
}

/** @param {string} identity */
export function isAlive(identity) {
  return identifyProcess(processIdOf(identity)) === identity;
}
