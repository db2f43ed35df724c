# SPDX-License-Identifier: Apache-2.0
# bash completion of fieldwayctl, which knows itself what may come ("fieldwayctl complete").

_fieldwayctl()
{
	local line=${COMP_LINE:0:COMP_POINT} words word current piece prefix IFS=$' \t\n'

	# COMP_WORDS is broken at '=' and ':', which addresses and options have.
	read -ra words <<<"$line"
	[[ $line == *[[:space:]] ]] && words+=("")
	current=${words[${#words[@]} - 1]}
	piece=${COMP_WORDS[COMP_CWORD]}
	[[ $piece == [=:] ]] && piece=
	prefix=${current%"$piece"}
	COMPREPLY=()
	while IFS= read -r word; do
		if [[ $word == :file ]]; then
			compopt -o default 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -f -- "$piece")
			return
		fi
		COMPREPLY+=("${word#"$prefix"}")
	done < <("${words[0]}" complete "${words[@]:1}" 2>/dev/null)
	[[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == */ ]] && compopt -o nospace 2>/dev/null
	return 0
}

complete -F _fieldwayctl fieldwayctl
