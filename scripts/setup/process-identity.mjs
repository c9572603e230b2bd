import { readFileSync } from "node:fs";

/**
 * What tells a process from all others on this machine: process ids are used again, so the moment of its start belongs to it.
 * @param {number} pid
 * @returns {string | undefined} "<pid> <start>"; undefined: there is no such process, or it has ended
 */
export function identifyProcess(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the program's name in brackets and may hold spaces. After it come the state and, as the 20th,
    // the start time: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // Z: it was killed, and its parent has not noticed. In a container without an init that stays so.
    return fields[0] === "Z" ? undefined : `${pid} ${fields[19]}`;
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
