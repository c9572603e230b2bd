// Each script sends the words up to the cursor to `heddle complete` and offers the answer: a line for each candidate
// (value, TAB, meaning), or the one line ":files" where a path belongs. None needs a completion library.

const BASH = String.raw`# heddle completion for bash
_heddle() {
  local words=("\${COMP_WORDS[@]:1:COMP_CWORD}") current="\${COMP_WORDS[COMP_CWORD]}" line
  COMPREPLY=()
  # bash splits words at "=" and ":", which heddle does not; names hold neither.
  while IFS= read -r line; do
    if [ "$line" = ":files" ]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$current")
      return
    fi
    COMPREPLY+=("\${line%%$'\t'*}")
  done < <("\${COMP_WORDS[0]}" complete -- "\${words[@]}" 2>/dev/null)
}
complete -F _heddle heddle
`;

const ZSH = String.raw`#compdef heddle
# heddle completion for zsh
_heddle() {
  local -a answer candidates
  local line meaning
  answer=("\${(@f)$("\${words[1]}" complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ "\${answer[1]}" == ":files" ]]; then
    _files
    return
  fi
  for line in "\${answer[@]}"; do
    [[ -n "$line" ]] || continue
    meaning=\${line#*$'\t'}
    candidates+=("\${\${line%%$'\t'*}//:/\\:}\${meaning:+:$meaning}")
  done
  _describe 'heddle' candidates
}
if [[ "\${funcstack[1]}" == "_heddle" ]]; then _heddle; else compdef _heddle heddle; fi
`;

const FISH = String.raw`# heddle completion for fish
function __heddle_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l answer ($words[1] complete -- $words[2..-1] 2>/dev/null)
    if test "$answer[1]" = ":files"
        __fish_complete_path (commandline -ct)
    else
        printf '%s\n' $answer
    end
end
complete -c heddle -f -a '(__heddle_complete)'
`;

/** The script for each shell. */
export const SCRIPTS: Readonly<Record<"bash" | "zsh" | "fish", string>> = {
  bash: unescapeDollars(BASH),
  zsh: unescapeDollars(ZSH),
  fish: FISH,
};

// String.raw keeps the backslash that keeps the template from reading "${"; the shells must not see it.
function unescapeDollars(script: string): string {
  return script.replaceAll("\\${", "${");
}
