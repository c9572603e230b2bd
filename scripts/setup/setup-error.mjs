/** Why the set-up stopped, in words for the person at the keyboard. */
export class SetupError extends Error {
  /**
   * @param {string} message which action failed, and the state of things: `Cannot <action>: <state>`
   * @param {string} next what that person does next
   */
  constructor(message, next) {
    super(message);
    this.name = "SetupError";
    this.next = next;
  }
}
