package schema

// Nearest is the first of the names with the smallest edit distance from word, if that is at
// most slack; otherwise "".
func Nearest(word string, names []string, slack int) string {
	best := ""
	for _, name := range names {
		if max(len(word)-len(name), len(name)-len(word)) > slack {
			continue // as many slips at least, and cheaper to see
		}
		if slips := distance(word, name); slips <= slack {
			best, slack = name, slips-1
		}
	}
	return best
}

// distance is the edit distance with transpositions (optimal string alignment).
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			substitute := last[j-1]
			if a[i-1] != b[j-1] {
				substitute++
			}
			row[j] = min(substitute, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
