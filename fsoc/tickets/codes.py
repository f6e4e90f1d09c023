"""The stable codes of what can be wrong with a ticket: what each means and how to mend it, twice. Decides nothing.

Senders' programs branch on the code; people read the fault's own text, which says what was found, or the sentence here.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Sentence(NamedTuple):
    """What the code means, and what its sender may do about it, in English and in Traditional Chinese."""

    en: str
    zh: str
    hint: str
    hint_zh: str


CODES: Final[dict[str, Sentence]] = {
    "payload.too-large": Sentence(
        "The payload is larger than 512 KiB.",
        "內容超過 512 KiB 上限。",
        "Send fewer evidence items, or shorter text; one ticket is one record.",
        "減少佐證項目或縮短文字；一筆紀錄只放一張事件單。",
    ),
    "payload.not-json": Sentence(
        "The payload is not JSON in UTF-8 without a BOM.",
        "內容不是合法的 JSON（UTF-8、無 BOM）。",
        "Write one JSON object per record, in UTF-8 and without a byte order mark.",
        "每筆紀錄請以 UTF-8（無 BOM）寫入一個 JSON 物件。",
    ),
    "payload.duplicate-key": Sentence(
        "An object has the same key twice.",
        "同一物件中有重複的鍵。",
        "Keep one of the two; where both are meant, make the value a list.",
        "僅保留其中一個鍵；若兩者皆需要，請改為清單。",
    ),
    "payload.not-finite": Sentence(
        "A number is NaN or infinite.",
        "數值為 NaN 或無限大。",
        "Leave the field out, or send null.",
        "省略該欄位，或填 null。",
    ),
    "payload.surrogate": Sentence(
        "A string holds half a surrogate pair.",
        "字串含有不成對的代理字元。",
        "Repair the text where it is made: it was cut in the middle of a character.",
        "請在產生端修正文字，該字元遭截斷。",
    ),
    "payload.nul": Sentence(
        "A string or a key holds the character U+0000.",
        "字串或鍵含有 U+0000 字元。",
        "Remove U+0000 from the text before it is sent.",
        "送出前移除 U+0000 字元。",
    ),
    "payload.too-deep": Sentence(
        "Objects and arrays nest deeper than 16.",
        "巢狀結構超過 16 層。",
        "Flatten what is nested into dotted names.",
        "將巢狀結構攤平為以點分隔的欄位名稱。",
    ),
    "payload.more-faults": Sentence(
        "There are more faults than are listed.",
        "錯誤過多，僅列出一部分。",
        "Mend those that are listed, and check again with fsoc check tickets.",
        "先修正已列出的錯誤，再以 fsoc check tickets 檢查。",
    ),
    "schema.unknown": Sentence(
        "The schema is not one that is understood.",
        "不支援的 schema。",
        "Send schema fsoc.ticket/1.",
        "schema 請填 fsoc.ticket/1。",
    ),
    "identity.exercise": Sentence(
        "These topics are a drill's, and this does not belong to it.",
        "此為演練專用主題，本訊息不屬於該演練。",
        "Send what is real to production's topics at once; of the drill, put environment exercise and its exercise_id.",
        "若為真實事件，請立即改送正式主題；若屬演練，environment 請填 exercise 並填寫該演練之 exercise_id。",
    ),
    "identity.mismatch": Sentence(
        "The institution is not the one this topic or credential belongs to.",
        "機構代碼與主題或憑證的所有者不符。",
        "Put your own institution's id, and send to your own topic; on behalf of another use submitted_by.",
        "請填寫本機構代碼並送至本機構主題；代送時使用 submitted_by。",
    ),
    "identity.delegation": Sentence(
        "submitted_by is not registered to send on the institution's behalf.",
        "submitted_by 未登記為本機構的代送單位。",
        "Have the institution name it among its delegations at the F-SOC, or leave submitted_by out.",
        "請由機構向 F-SOC 登記代送單位，或省略 submitted_by。",
    ),
    "signature.missing": Sentence(
        "The ticket has no signature, and this institution's must have one.",
        "未附簽章，而本機構之事件單須附簽章。",
        "Sign the batch (fsoc send --sign-with), or ask the F-SOC from which day signatures are required.",
        "請簽署批次後再送（fsoc send --sign-with），或向 F-SOC 查詢須附簽章之起始日。",
    ),
    "signature.malformed": Sentence(
        "The signature is no compact JWS of a batch.",
        "簽章不是合法的批次 JWS。",
        "Send it as fsoc-batch+jws: alg EdDSA, kid and typ in its header, 1 to 100 digests, 8 KiB at most.",
        "請依 fsoc-batch+jws 格式：標頭僅含 alg（EdDSA）、kid、typ，摘要 1 至 100 筆，總長 8 KiB 以內。",
    ),
    "signature.unknown-key": Sentence(
        "No registered key has the name that the signature gives.",
        "簽章所指之金鑰未登錄。",
        "Have the F-SOC register the public key, or sign by one that is registered.",
        "請向 F-SOC 登錄公鑰，或改用已登錄之金鑰。",
    ),
    "signature.expired-key": Sentence(
        "The key was no longer taken when the ticket was received.",
        "收到事件單時，該金鑰已逾有效期限。",
        "Sign by a newer key, and send it again.",
        "請以新金鑰簽署後重送。",
    ),
    "signature.foreign-key": Sentence(
        "The key that the signature names is another institution's.",
        "簽章所指之金鑰屬於其他機構。",
        "Sign by a key of the institution whose ticket it is.",
        "請以事件單所屬機構之金鑰簽署。",
    ),
    "signature.wrong": Sentence(
        "The signature was not made by the key that it names, or was changed since.",
        "簽章與金鑰不符，或已遭變更。",
        "Sign the batch anew; if that does not help, somebody changes what you send.",
        "請重新簽署；若仍不符，傳輸途中可能遭竄改。",
    ),
    "signature.not-covered": Sentence(
        "The signature is good, and this ticket is none of those that it covers.",
        "簽章有效，但未涵蓋本事件單。",
        "Sign the bytes that are sent, each ticket as it stands in its record, after every change.",
        "請對實際送出之位元組簽章，且簽章後不得再變更內容。",
    ),
    "field.missing": Sentence(
        "A required field is missing.",
        "缺少必要欄位。",
        "Add the field; fsoc schema ticket says what it holds.",
        "請補上該欄位；fsoc schema ticket 說明其內容。",
    ),
    "field.unknown": Sentence(
        "The field is not part of the schema; put it under ext.",
        "未定義的欄位，請放入 ext。",
        "Move the field under ext, or correct its name.",
        "將該欄位移至 ext，或更正欄位名稱。",
    ),
    "field.wrong-type": Sentence(
        "The value has the wrong JSON type.",
        "欄位型別錯誤。",
        "Send the type that the schema names: numbers without quotes, times as text.",
        "請依 schema 填寫型別：數字不加引號，時間為字串。",
    ),
    "field.not-allowed": Sentence(
        "The value is not one of those allowed.",
        "欄位值不在允許清單內。",
        "Choose one of the values that fsoc schema ticket lists; mind the case.",
        "請選用 fsoc schema ticket 所列之值，並注意大小寫。",
    ),
    "field.out-of-range": Sentence(
        "The number is outside its range.",
        "數值超出允許範圍。",
        "Send a number within the bounds of the schema, in the unit of the field.",
        "請填寫 schema 範圍內之數值，並確認單位。",
    ),
    "field.too-long": Sentence(
        "The text or object is too long.",
        "內容過長。",
        "Shorten it; what is needed for the record can stay in your own system.",
        "請縮短內容；完整資料可留存於機構內部系統。",
    ),
    "field.too-short": Sentence(
        "The text is empty.",
        "內容不得為空。",
        "Fill it in, or leave the field out where it is optional.",
        "請填寫內容；若為選填欄位可省略。",
    ),
    "field.too-many": Sentence(
        "The list or object has too many members.",
        "項目數過多。",
        "Send the most telling ones; further ones may go into an update.",
        "請保留最具代表性之項目，其餘可於更新單補送。",
    ),
    "field.malformed": Sentence(
        "The text does not have the form of this field.",
        "格式不符。",
        "Write it in the form that the schema's pattern shows.",
        "請依 schema 的 pattern 格式填寫。",
    ),
    "time.naive": Sentence(
        "The time has no offset from UTC.",
        "時間未標示時區。",
        "Add the offset: 2026-03-02T08:00:00+08:00, or Z for UTC.",
        "請加上時區，例如 2026-03-02T08:00:00+08:00；UTC 以 Z 表示。",
    ),
    "time.malformed": Sentence(
        "The text is not an RFC 3339 time.",
        "時間格式不符 RFC 3339。",
        "Write it like 2026-03-02T08:00:00+08:00.",
        "請寫成 2026-03-02T08:00:00+08:00 的形式。",
    ),
    "time.out-of-range": Sentence(
        "The time is outside 1970 to 9999.",
        "時間超出 1970 至 9999 年。",
        "Look at the clock and the unit: seconds may have been taken for milliseconds.",
        "請檢查時鐘與單位，可能誤將秒當成毫秒。",
    ),
    "time.order": Sentence(
        "The end is before the beginning.",
        "結束時間早於開始時間。",
        "Exchange the two, or correct the one that is wrong.",
        "請對調兩個時間，或更正錯誤的一個。",
    ),
    "time.future": Sentence(
        "The event is later than the time of receipt.",
        "事件時間晚於收到時間。",
        "Set the clock by NTP and look at the offset of the time; then send the ticket again.",
        "請以 NTP 校時並檢查時區，再重新送出。",
    ),
    "time.late": Sentence(
        "The event is older than the institution's watermark allows; stored, not used.",
        "事件時間早於可接受的延遲範圍，已保存但不採用。",
        "Nothing needs mending. Send sooner, or ask the F-SOC to allow more lateness for this institution.",
        "無須修正；請提早送出，或洽 F-SOC 調整本機構可接受之延遲。",
    ),
    "condition.tw-level": Sentence(
        "An incident needs tw_level.",
        "資安事件必須填寫 tw_level。",
        "Add tw_level 1 to 4, or set is_incident to false.",
        "請填寫 tw_level（1 至 4），或將 is_incident 設為 false。",
    ),
    "condition.exercise-id": Sentence(
        "An exercise needs exercise_id.",
        "演練必須填寫 exercise_id。",
        "Add the exercise_id that the F-SOC gave.",
        "請填寫 F-SOC 提供之 exercise_id。",
    ),
    "condition.verdict": Sentence(
        "Closing a ticket needs a verdict.",
        "結案必須填寫 verdict。",
        "Add the verdict, or send another action than close.",
        "請填寫 verdict，或改用 close 以外之 action。",
    ),
    "condition.attack": Sentence(
        "A technique, or the reason why there is none, is needed.",
        "必須至少填一項攻擊技術，或說明無法對應的原因。",
        "Add a technique to attack, or say in attack_unmapped_reason why there is none.",
        "請於 attack 填寫技術，或於 attack_unmapped_reason 說明原因。",
    ),
    "condition.attack-version": Sentence(
        "Techniques need attack_version.",
        "填寫攻擊技術時必須註明 attack_version。",
        "Add the ATT&CK version whose words are used, such as 18.1.",
        "請填寫所依據之 ATT&CK 版本，例如 18.1。",
    ),
    "condition.observables": Sentence(
        "An intelligence ticket needs an observable.",
        "情資分析單至少須有一項觀測值。",
        "Add what is warned of to observables.",
        "請於 observables 填寫所示警之觀測值。",
    ),
    "condition.acknowledges": Sentence(
        "An acknowledgement needs an alert and an answer.",
        "回復單至少須回復一則聯防告警。",
        "Add the alert's id and your answer to relations.acknowledges, or retract the acknowledgement.",
        "請於 relations.acknowledges 填寫告警編號與回復內容，或以 retract 撤回。",
    ),
    "condition.trigger-baseline": Sentence(
        "A baseline trigger needs baseline_version and rule_id.",
        "以監控基準觸發時必須填寫 baseline_version 與 rule_id。",
        "Add both, or set the trigger's kind to local or manual.",
        "請補上兩者，或將 trigger 的 kind 設為 local 或 manual。",
    ),
    "condition.ended": Sentence(
        "ended is for environment exercise or test only.",
        "ended 僅適用於 exercise 或 test 環境。",
        "Leave ended out; it ends an exercise's stream.",
        "請移除 ended；該欄位僅用於結束演練資料流。",
    ),
    "condition.sensors": Sentence(
        "More sensors are up than there are.",
        "運作中的設備數多於設備總數。",
        "Correct sensors_total, or count sensors_up anew.",
        "請更正 sensors_total，或重新計算 sensors_up。",
    ),
    "revision.conflict": Sentence(
        "This revision was received before with another body.",
        "相同版次先前已收到不同的內容，請提高 revision。",
        "Send what changed as the next higher revision.",
        "請以更高的 revision 送出變更內容。",
    ),
    "attack.technique-unknown": Sentence(
        "No known ATT&CK version has this technique; the ticket is used, and joins with no other by it.",
        "已知之 ATT&CK 版本均無此技術代號；事件單仍採用，但無法據此與他案關聯。",
        "Look the id up at attack.mitre.org, and name its parent where the sub-technique is not known.",
        "請查核技術代號；子技術無法確定時，請改填其上層技術。",
    ),
    "attack.tactic-unlikely": Sentence(
        "The technique is under other tactics, in every known ATT&CK version; the ticket is used as it is.",
        "該技術在已知之 ATT&CK 版本中屬於其他戰術；事件單仍採用。",
        "Correct the tactic or the technique where your detection maps its rules to ATT&CK.",
        "請於偵測規則之 ATT&CK 對應處更正戰術或技術。",
    ),
    "category.technique-unlikely": Sentence(
        "The category makes expect other techniques than the ticket names; the ticket is used as it is.",
        "事件類別與所填技術不甚相符；事件單仍採用。",
        "Look at both; where both are right, nothing needs mending, for this is no more than a hint.",
        "請檢視類別與技術；若兩者皆正確則無須修正，本訊息僅供參考。",
    ),
}
