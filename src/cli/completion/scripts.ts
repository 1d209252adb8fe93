/** What each shell evaluates: it asks `autoexp complete` at every Tab, so that it need not be made again for new commands. */
import type { Shell } from "./candidates.ts"

const bash = String.raw`# autoexp's completion for bash: source <(autoexp completion bash)
_autoexp() {
  local line=${"$"}{COMP_LINE:0:COMP_POINT} words cur cut candidate
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  cur=${"$"}{words[${"$"}{#words[@]} - 1]}
  # Bash takes = and : for the beginning of a word.
  cut=${"$"}{cur%"${"$"}{cur##*[=:]}"}
  COMPREPLY=()
  while IFS=$'\t' read -r candidate _; do
    case $candidate in
      :files) compopt -o filenames; mapfile -t -O "${"$"}{#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "${"$"}{cur#"$cut"}") ;;
      :folders) compopt -o filenames; mapfile -t -O "${"$"}{#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "${"$"}{cur#"$cut"}") ;;
      *=) compopt -o nospace; COMPREPLY+=("${"$"}{candidate#"$cut"}") ;;
      *) COMPREPLY+=("${"$"}{candidate#"$cut"}") ;;
    esac
  done < <("${"$"}{words[0]}" complete -- "${"$"}{words[@]:1}" 2> /dev/null)
}
complete -F _autoexp autoexp
`

const zsh = String.raw`#compdef autoexp
# autoexp's completion for zsh, after compinit: source <(autoexp completion zsh)
_autoexp() {
  local line word
  local -a lines closed open
  lines=("${"$"}{(@f)$(${"$"}{words[1]} complete -- "${"$"}{(@)words[2,CURRENT-1]}" "$PREFIX" 2> /dev/null)}")
  for line in $lines; do
    case $line in
      :files) compset -P '*='; _files ;;
      :folders) compset -P '*='; _files -/ ;;
      *)
        word=${"$"}{line%%$'\t'*}
        line=${"$"}{word//:/\\:}:${"$"}{line#*$'\t'}
        [[ $word == *= ]] && open+=("$line") || closed+=("$line") ;;
    esac
  done
  (( $#closed )) && _describe -V autoexp closed
  (( $#open )) && _describe -V autoexp open -S ''
}
compdef _autoexp autoexp
`

const fish = String.raw`# autoexp's completion for fish: autoexp completion fish | source
function __autoexp_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l kept (string match -r -- '^--[^=]*=' "$current")
    set -l typed (string replace -r -- '^--[^=]*=' '' "$current")
    for line in ($words[1] complete -- $words[2..-1] "$current" 2> /dev/null)
        switch $line
            case ':files'
                for file in (__fish_complete_path $typed)
                    echo "$kept$file"
                end
            case ':folders'
                for folder in (__fish_complete_directories $typed)
                    echo "$kept$folder"
                end
            case '*'
                echo $line
        end
    end
end
complete -c autoexp -f -a '(__autoexp_complete)'
`

export const scripts: Readonly<Record<Shell, string>> = { bash, zsh, fish }
