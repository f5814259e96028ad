metadata description = 'Text for secrets, made from the random bits of new GUIDs.'

@description('The 30 random hexadecimal digits of a version 4 GUID: all but the version digit and the variant digit (RFC 9562 §5.4).')
func randomDigits(guid string) string =>
  '${substring(guid, 0, 8)}${substring(guid, 9, 4)}${substring(guid, 15, 3)}${substring(guid, 20, 3)}${substring(guid, 24, 12)}'

@minValue(0)
@maxValue(255)
type byte = int

@description('The byte that two hexadecimal digits at a position say, 0 to 255.')
func byteAt(digits string, position int) byte =>
  16 * indexOf('0123456789abcdef', substring(digits, position, 1)) + indexOf(
    '0123456789abcdef',
    substring(digits, position + 1, 1)
  )

@description('28 letters and digits from two GUIDs: one byte a character, over 160 bits in all.')
@export()
func alphanumeric28(first string, second string) string =>
  join(
    map(
      range(0, 28),
      i =>
        substring(
          'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
          byteAt('${randomDigits(first)}${randomDigits(second)}', 2 * i) % 62,
          1
        )
    ),
    ''
  )
