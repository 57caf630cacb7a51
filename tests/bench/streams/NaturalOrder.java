/** Orders versions as the schema says: digits by their value, all else by its letters. */
final class NaturalOrder {
    private NaturalOrder() {}

    static int compare(String a, String b) {
        int i = 0;
        int k = 0;
        while (i < a.length() && k < b.length()) {
            if (isDigit(a, i) && isDigit(b, k)) {
                int endOfA = endOfNumber(a, i);
                int endOfB = endOfNumber(b, k);
                int order = compareNumbers(a.substring(i, endOfA), b.substring(k, endOfB));
                if (order != 0)
                    return order;
                i = endOfA;
                k = endOfB;
            } else if (a.charAt(i) != b.charAt(k)) {
                return Character.compare(a.charAt(i), b.charAt(k));
            } else {
                i++;
                k++;
            }
        }
        boolean hasMore = i < a.length() || k < b.length();
        return hasMore ? Boolean.compare(i < a.length(), k < b.length()) : a.compareTo(b);
    }

    private static boolean isDigit(String text, int at) {
        return at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9';
    }

    private static int endOfNumber(String text, int from) {
        int to = from;
        while (isDigit(text, to))
            to++;
        return to;
    }

    private static int compareNumbers(String a, String b) {
        String x = withoutZeros(a);
        String y = withoutZeros(b);
        return x.length() != y.length() ? Integer.compare(x.length(), y.length()) : x.compareTo(y);
    }

    private static String withoutZeros(String number) {
        int from = 0;
        while (from < number.length() && number.charAt(from) == '0')
            from++;
        return number.substring(from);
    }
}
