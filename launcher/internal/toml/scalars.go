package toml

import (
	"errors"
	"strconv"
	"strings"
)

// scalar reads a boolean, a number or a moment.
func (r *reader) scalar() any {
	start := r.at
	for isBare(r.peek()) || r.peek() == '+' || r.peek() == '.' || r.peek() == ':' {
		r.at++
	}
	word := r.text[start:r.at]
	// A date and its time may be parted by one blank.
	if isDate(word) && r.peek() == ' ' && r.at+1 < len(r.text) && isDigit(r.text[r.at+1]) {
		r.at++
		for isDigit(r.peek()) || strings.IndexByte("+-.:Zz", r.peek()) >= 0 && r.peek() != 0 {
			r.at++
		}
		word = r.text[start:r.at]
	}
	switch word {
	case "true":
		return true
	case "false":
		return false
	}
	if value, ok := number(word); ok {
		return value
	}
	if isMoment(word) {
		return Moment(word)
	}
	r.fail("not a value")
	return nil
}

func number(word string) (any, bool) {
	digits := strings.TrimLeft(word, "+-")
	if len(word)-len(digits) > 1 || !sensible(digits) {
		return nil, false
	}
	if digits == "inf" || digits == "nan" {
		value, err := strconv.ParseFloat(digits, 64)
		if word[0] == '-' {
			value = -value
		}
		return value, err == nil
	}
	plain := strings.ReplaceAll(word, "_", "")
	if len(digits) > 1 && digits[0] == '0' && digits == word {
		if base := map[byte]int{'x': 16, 'o': 8, 'b': 2}[digits[1]]; base != 0 {
			value, err := strconv.ParseInt(plain[2:], base, 64)
			return value, err == nil && !strings.ContainsAny(plain[2:], "+-")
		}
	}
	for _, c := range []byte(plain) {
		if !isDigit(c) && strings.IndexByte("+-.eE", c) < 0 {
			return nil, false
		}
	}
	if whole := strings.IndexAny(digits, ".eE"); len(digits) > 1 && digits[0] == '0' && whole != 1 {
		return nil, false
	}
	if !strings.ContainsAny(digits, ".eE") {
		value, err := strconv.ParseInt(plain, 10, 64)
		return value, err == nil
	}
	value, err := strconv.ParseFloat(plain, 64)
	return value, err == nil || errors.Is(err, strconv.ErrRange)
}

// sensible is true if every underscore and every dot stands between two digits, as TOML wants it.
func sensible(digits string) bool {
	part := isDigit
	if strings.HasPrefix(digits, "0x") {
		part = isAlnum
	}
	for at := range digits {
		if digits[at] != '_' && digits[at] != '.' {
			continue
		}
		if at == 0 || at == len(digits)-1 || !part(digits[at-1]) || !part(digits[at+1]) {
			return false
		}
	}
	return digits != "" && !strings.HasPrefix(digits, "0x_")
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isAlnum(c byte) bool { return isBare(c) && c != '_' && c != '-' }

func isMoment(word string) bool {
	if len(word) == 8 || len(word) > 8 && word[8] == '.' {
		return isTime(word)
	}
	if len(word) < 10 || !isDate(word[:10]) {
		return false
	}
	if len(word) == 10 {
		return true
	}
	if strings.IndexByte("Tt ", word[10]) < 0 {
		return false
	}
	time := word[11:]
	if end := len(time) - 1; end >= 0 && (time[end] == 'Z' || time[end] == 'z') {
		return isTime(time[:end])
	}
	if sign := strings.IndexAny(time, "+-"); sign >= 0 {
		return isTime(time[:sign]) && fits(time[sign+1:], "00:00", 23, 59)
	}
	return isTime(time)
}

func isDate(word string) bool {
	if !fits(word, "0000-00-00", 9999, 12, 31) || word[5:7] == "00" || word[8:] == "00" {
		return false
	}
	year, _ := strconv.Atoi(word[:4])
	longest := map[string]string{"04": "30", "06": "30", "09": "30", "11": "30", "02": "28"}[word[5:7]]
	if longest == "28" && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		longest = "29"
	}
	return longest == "" || word[8:] <= longest
}

func isTime(word string) bool {
	whole, fraction, parted := strings.Cut(word, ".")
	if parted && (fraction == "" || strings.Trim(fraction, "0123456789") != "") {
		return false
	}
	return fits(whole, "00:00:00", 23, 59, 60)
}

// fits compares a word with a pattern in which 0 stands for any digit, and each number with its limit.
func fits(word, pattern string, limits ...int) bool {
	if len(word) != len(pattern) {
		return false
	}
	value, field := 0, 0
	for at := range pattern {
		if pattern[at] != '0' {
			if word[at] != pattern[at] || value > limits[field] {
				return false
			}
			value, field = 0, field+1
		} else if !isDigit(word[at]) {
			return false
		} else {
			value = value*10 + int(word[at]-'0')
		}
	}
	return value <= limits[field]
}
