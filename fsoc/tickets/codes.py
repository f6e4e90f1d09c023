"""The stable codes of what can be wrong with a ticket, each with a sentence in two languages. Decides nothing.

Senders' programs branch on the code; people read the fault's own text, which says what was found, or the sentence here.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Sentence(NamedTuple):
    en: str
    zh: str


CODES: Final[dict[str, Sentence]] = {
    "payload.too-large": Sentence("The payload is larger than 512 KiB.", "內容超過 512 KiB 上限。"),
    "payload.not-json": Sentence(
        "The payload is not JSON in UTF-8 without a BOM.", "內容不是合法的 JSON（UTF-8、無 BOM）。"
    ),
    "payload.duplicate-key": Sentence("An object has the same key twice.", "同一物件中有重複的鍵。"),
    "payload.not-finite": Sentence("A number is NaN or infinite.", "數值為 NaN 或無限大。"),
    "payload.surrogate": Sentence("A string holds half a surrogate pair.", "字串含有不成對的代理字元。"),
    "payload.nul": Sentence("A string or a key holds the character U+0000.", "字串或鍵含有 U+0000 字元。"),
    "payload.too-deep": Sentence("Objects and arrays nest deeper than 16.", "巢狀結構超過 16 層。"),
    "payload.more-faults": Sentence("There are more faults than are listed.", "錯誤過多，僅列出一部分。"),
    "schema.unknown": Sentence("The schema is not one that is understood.", "不支援的 schema。"),
    "identity.mismatch": Sentence(
        "The institution is not the one this topic or credential belongs to.", "機構代碼與主題或憑證的所有者不符。"
    ),
    "field.missing": Sentence("A required field is missing.", "缺少必要欄位。"),
    "field.unknown": Sentence("The field is not part of the schema; put it under ext.", "未定義的欄位，請放入 ext。"),
    "field.wrong-type": Sentence("The value has the wrong JSON type.", "欄位型別錯誤。"),
    "field.not-allowed": Sentence("The value is not one of those allowed.", "欄位值不在允許清單內。"),
    "field.out-of-range": Sentence("The number is outside its range.", "數值超出允許範圍。"),
    "field.too-long": Sentence("The text or object is too long.", "內容過長。"),
    "field.too-short": Sentence("The text is empty.", "內容不得為空。"),
    "field.too-many": Sentence("The list or object has too many members.", "項目數過多。"),
    "field.malformed": Sentence("The text does not have the form of this field.", "格式不符。"),
    "time.naive": Sentence("The time has no offset from UTC.", "時間未標示時區。"),
    "time.malformed": Sentence("The text is not an RFC 3339 time.", "時間格式不符 RFC 3339。"),
    "time.out-of-range": Sentence("The time is outside 1970 to 9999.", "時間超出 1970 至 9999 年。"),
    "time.order": Sentence("The end is before the beginning.", "結束時間早於開始時間。"),
    "time.future": Sentence("The event is later than the time of receipt.", "事件時間晚於收到時間。"),
    "time.late": Sentence(
        "The event is older than the institution's watermark allows; stored, not used.",
        "事件時間早於可接受的延遲範圍，已保存但不採用。",
    ),
    "condition.tw-level": Sentence("An incident needs tw_level.", "資安事件必須填寫 tw_level。"),
    "condition.exercise-id": Sentence("An exercise needs exercise_id.", "演練必須填寫 exercise_id。"),
    "condition.verdict": Sentence("Closing a ticket needs a verdict.", "結案必須填寫 verdict。"),
    "condition.attack": Sentence(
        "A technique, or the reason why there is none, is needed.", "必須至少填一項攻擊技術，或說明無法對應的原因。"
    ),
    "condition.attack-version": Sentence("Techniques need attack_version.", "填寫攻擊技術時必須註明 attack_version。"),
    "condition.observables": Sentence("An intelligence ticket needs an observable.", "情資分析單至少須有一項觀測值。"),
    "condition.trigger-baseline": Sentence(
        "A baseline trigger needs baseline_version and rule_id.",
        "以監控基準觸發時必須填寫 baseline_version 與 rule_id。",
    ),
    "condition.ended": Sentence(
        "ended is for environment exercise or test only.", "ended 僅適用於 exercise 或 test 環境。"
    ),
    "condition.sensors": Sentence("More sensors are up than there are.", "運作中的設備數多於設備總數。"),
    "revision.conflict": Sentence(
        "This revision was received before with another body.", "相同版次先前已收到不同的內容，請提高 revision。"
    ),
}
